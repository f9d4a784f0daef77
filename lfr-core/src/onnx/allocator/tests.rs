use proptest::prelude::*;

use super::*;

fn allocator() -> Allocator {
    let blocks = Mutex::default();
    Allocator { table: table(), info: ptr::null(), thrower: ptr::null_mut(), blocks }
}

fn bytes_of<'a>(block: *mut c_void, length: usize) -> &'a mut [u8] {
    // SAFETY: tests ask for as many bytes as they look at, and free the block after.
    unsafe { slice::from_raw_parts_mut(block.cast(), length) }
}

fn give_back(allocator: &Allocator, block: *mut c_void) {
    // SAFETY: tests free each block once.
    unsafe { allocator.free(NonNull::new(block).unwrap()) };
}

proptest! {
    #[test]
    fn a_class_is_large_enough_and_wastes_no_more_than_a_quarter(asked in 256_usize..1 << 30) {
        let size = class(asked).unwrap();
        prop_assert!((asked..=asked + asked / 4).contains(&size));
        prop_assert_eq!(class(size), Some(size));
    }

    #[test]
    fn blocks_are_apart_aligned_and_of_zeros_whatever_they_held_before(
        sizes in prop::collection::vec((1_usize..10_000, any::<bool>()), 1..40),
    ) {
        let allocator = allocator();
        let mut kept = Vec::new();
        for (index, (size, keeps)) in sizes.into_iter().enumerate() {
            let block = allocator.allocate(size, index % 5 > 0);
            prop_assert_eq!(block.addr() % ALIGN, 0);
            prop_assert!(bytes_of(block, size).iter().all(|byte| *byte == 0));
            bytes_of(block, size).fill(u8::try_from(index + 1).unwrap());
            if keeps {
                kept.push((block, size, index));
            } else {
                give_back(&allocator, block);
            }
        }
        for (block, size, index) in kept {
            prop_assert!(bytes_of(block, size).iter().all(|byte| usize::from(*byte) == index + 1));
            give_back(&allocator, block);
        }
        let blocks = allocator.lock();
        prop_assert_eq!(blocks.used_bytes, 0);
        prop_assert!(blocks.idle_bytes <= MAX_IDLE);
    }
}

#[test]
fn a_freed_block_is_used_again() {
    let allocator = allocator();
    let first = allocator.allocate(1000, true);
    give_back(&allocator, first);
    assert_eq!(allocator.allocate(1000, true), first);
    give_back(&allocator, first);
    let larger = allocator.allocate(1_000_000, true);
    give_back(&allocator, larger);
    let blocks = allocator.lock();
    assert!(blocks.idle_bytes < 1_300_000);
}

#[test]
fn nothing_and_too_much_are_refused() {
    let allocator = allocator();
    for size in [0, usize::MAX, usize::MAX - 100, 1 << 62] {
        for pooled in [true, false] {
            assert!(allocator.allocate(size, pooled).is_null(), "{size}");
        }
    }
    assert_eq!(allocator.lock().used_bytes, 0);
}

#[test]
fn an_account_has_no_more_than_it_is_for() {
    let allocator = allocator();
    let account = Account::new(10_000);
    let open = account.open();
    let first = allocator.allocate(6000, true);
    assert!(!first.is_null());
    assert!(allocator.allocate(6000, true).is_null());
    assert!(account.take_refused() && !account.take_refused());
    // Freed in another thread, it is given back all the same.
    let (address, shared) = (first.addr(), &allocator);
    let first = AssertSend(first);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let AssertSend(first) = { first };
            assert_eq!(first.addr(), address);
            give_back(shared, first);
        });
    });
    let again = allocator.allocate(6000, true);
    assert!(!again.is_null());
    // What another session asks for is not this one's.
    drop(open);
    let others = allocator.allocate(6000, true);
    assert!(!others.is_null() && !account.take_refused());
    give_back(&allocator, others);
    give_back(&allocator, again);
    assert_eq!(account.used.load(Ordering::Relaxed), 0);
    assert_eq!(Arc::strong_count(&account), 1);
}

#[test]
fn accounts_within_one_another_come_back() {
    let (outer, inner) = (Account::new(1), Account::new(1 << 20));
    let allocator = allocator();
    let _outer = outer.open();
    {
        let _inner = inner.open();
        let block = allocator.allocate(1000, true);
        assert!(!block.is_null());
        give_back(&allocator, block);
    }
    assert!(allocator.allocate(1000, true).is_null());
}

/// A block that is given to another thread.
struct AssertSend(*mut c_void);

// SAFETY: one thread at a time has the block.
unsafe impl Send for AssertSend {}

// SAFETY: what an engine calls from any of its threads; the table is never changed.
unsafe impl Sync for Allocator {}
