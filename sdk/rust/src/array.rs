//! The Arrow C data interface and the ABI's step as they lie in a guest's memory.

/// ArrowSchema. Its pointers are the host's, and valid during `wasmill_open`.
#[repr(C)]
pub struct ArrowSchema {
    pub format: *const u8,
    pub name: *const u8,
    pub metadata: *const u8,
    pub flags: i64,
    pub n_children: i64,
    pub children: *const *const ArrowSchema,
    pub dictionary: *const ArrowSchema,
    pub release: usize,
    pub private_data: usize,
}

/// ArrowArray.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ArrowArray {
    pub length: i64,
    pub null_count: i64,
    pub offset: i64,
    pub n_buffers: i64,
    pub n_children: i64,
    pub buffers: *const *const u8,
    pub children: *const *const ArrowArray,
    pub dictionary: *const ArrowArray,
    pub release: usize,
    pub private_data: usize,
}

impl ArrowArray {
    pub(crate) const EMPTY: ArrowArray = ArrowArray {
        length: 0,
        null_count: 0,
        offset: 0,
        n_buffers: 0,
        n_children: 0,
        buffers: std::ptr::null(),
        children: std::ptr::null(),
        dictionary: std::ptr::null(),
        release: 1, // not null, and never called
        private_data: 0,
    };
}

/// What a call fills in: a step of its result, or the row that failed.
#[repr(C)]
pub struct Step {
    pub array: *const ArrowArray,
    pub origins: *const i32,
    pub row: i32,
    pub side_count: u32,
    pub sides: u32,
    pub partial: u32,
    pub side: u32,
    pub reserved: u32,
}

#[cfg(target_arch = "wasm32")]
const _: () =
    assert!(std::mem::size_of::<ArrowSchema>() == 48 && std::mem::size_of::<ArrowArray>() == 64 && std::mem::size_of::<Step>() == 32);
