//! What is served where.

use actix_web::App as ActixApp;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};

use super::{App, connection, page, routes, run, ws};

/// Makes the application anew for each thread that serves it.
#[derive(Clone)]
pub struct Application {
    app: Data<App>,
}

impl Application {
    pub fn new(app: Data<App>) -> Application {
        Application { app }
    }

    /// All routes, inside the layers that every request passes.
    pub fn build(
        self,
    ) -> ActixApp<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<BoxBody>,
            Error = actix_web::Error,
            InitError = (),
        >,
    > {
        ActixApp::new()
            .app_data(self.app)
            .route("/ws", web::get().to(ws::json))
            .route("/ws/text", web::get().to(ws::text))
            .service(
                web::resource("/api/run").route(web::post().to(run::run)).default_service(web::to(routes::post_only)),
            )
            .route("/api/info", web::get().to(routes::info))
            .route("/healthz", web::get().to(routes::healthz))
            .route("/readyz", web::get().to(routes::readyz))
            .route("/metrics", web::get().to(routes::metrics))
            .default_service(web::get().to(page::page))
            .wrap(from_fn(connection::watched))
    }
}
