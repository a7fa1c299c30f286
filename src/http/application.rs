//! What is served where.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use actix_web::{App as ActixApp, FromRequest, Handler, Resource, Responder, guard};

use super::{App, admission, connection, page, routes, run, ws};

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
            .service(readable("/ws", ws::json))
            .service(readable("/ws/text", ws::text))
            .service(
                web::resource("/api/run")
                    // Before the other, which reads the body.
                    .route(web::post().guard(guard::fn_guard(routes::is_encoded)).to(routes::plain_only))
                    .route(web::post().to(run::run))
                    .default_service(web::to(routes::post_only)),
            )
            .service(readable("/api/info", routes::info))
            .service(readable("/healthz", routes::healthz))
            .service(readable("/readyz", routes::readyz))
            .service(readable("/metrics", routes::metrics))
            .default_service(web::to(page::page))
            .wrap(from_fn(admission::at_the_door))
            .wrap(from_fn(connection::watched))
    }
}

/// What answers GET and HEAD. The HTTP library leaves the body out for HEAD.
fn readable<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let reads = guard::Any(guard::Get()).or(guard::Head());
    web::resource(path).route(web::route().guard(reads).to(handler)).default_service(web::to(routes::read_only))
}
