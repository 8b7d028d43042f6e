//! Panics abort in WebAssembly, and a trap says little. What a panic says goes to standard error, whose last lines the host
//! shows with the trap.

use std::sync::Once;

#[link(wasm_import_module = "wasi_snapshot_preview1")]
extern "C" {
    fn fd_write(fd: i32, vectors: *const Vector, count: usize, written: *mut usize) -> i32;
}

#[repr(C)]
struct Vector {
    start: *const u8,
    size: usize,
}

/// Sets the hook that writes panics to standard error.
pub(crate) fn show() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let message = match (info.payload().downcast_ref::<&str>(), info.payload().downcast_ref::<String>()) {
                (Some(text), _) => text,
                (_, Some(text)) => text.as_str(),
                _ => "a value that is no text",
            };
            let place = info.location().map_or(String::new(), |l| format!("\n\tat {}:{}", l.file(), l.line()));
            let text = format!("panic: {}{}\n", message, place);
            let vector = Vector { start: text.as_ptr(), size: text.len() };
            let mut written = 0;
            unsafe { fd_write(2, &vector, 1, &mut written) };
        }));
    });
}
