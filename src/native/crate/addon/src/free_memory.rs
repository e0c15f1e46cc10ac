//! What malloc holds for threads that freed it goes back to the system.

pub use arenas::release;

#[cfg(target_env = "gnu")]
mod arenas {
    use std::ffi::c_int;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    const STACK_BYTES: usize = 64 << 10;

    static IS_UNDER_WAY: AtomicBool = AtomicBool::new(false);

    unsafe extern "C" {
        /// malloc_trim(3)
        fn malloc_trim(pad_bytes: usize) -> c_int;
    }

    /// Begins to do so on a thread of its own, which has the priority of the calling one. An arena is locked while its
    /// turn is. Returns whether it was begun: not while another is under way.
    pub fn release() -> bool {
        if IS_UNDER_WAY.swap(true, Ordering::AcqRel) {
            return false;
        }
        let begun = thread::Builder::new().stack_size(STACK_BYTES).spawn(|| {
            // SAFETY: it takes no pointer, and may run on any thread at any time.
            unsafe { malloc_trim(0) };
            IS_UNDER_WAY.store(false, Ordering::Release);
        });
        if begun.is_err() {
            IS_UNDER_WAY.store(false, Ordering::Release);
        }
        begun.is_ok()
    }
}

#[cfg(not(target_env = "gnu"))]
mod arenas {
    pub fn release() -> bool {
        false
    }
}
