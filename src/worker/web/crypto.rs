//! The kernel's randomness, for `crypto`.

use rquickjs::{Ctx, Exception, Object, Result, TypedArray};

use super::lend_function;

/// The most that can be asked for at once, by the standard.
const MOST_BYTES: usize = 65_536;

pub fn lend<'js>(ctx: &Ctx<'js>, lent: &Object<'js>) -> Result<()> {
    lend_function(ctx, lent, "randomBytes", |ctx: Ctx<'js>, length: usize| {
        let mut bytes = vec![0; length.min(MOST_BYTES)];
        fill(&ctx, &mut bytes)?;
        TypedArray::<u8>::new_copy(ctx, bytes)
    })?;
    lend_function(ctx, lent, "randomUuid", |ctx: Ctx<'js>| {
        let mut bytes = [0; 16];
        fill(&ctx, &mut bytes)?;
        Ok::<_, rquickjs::Error>(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
    })
}

fn fill(ctx: &Ctx<'_>, bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|_| Exception::throw_message(ctx, "The system has no randomness to give"))
}
