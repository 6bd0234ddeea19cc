//! Independent work on all processors.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// Applies `work` to each item; the results are in the order of the items.
pub fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let (send, receive) = mpsc::channel();
    let run = |send: mpsc::Sender<(usize, R)>| {
        while let Some((index, item)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, items.get(at)?)))
        {
            let _ = send.send((index, work(item)));
        }
    };
    let processors = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let run = &run;
        for _ in 1..processors.min(items.len()) {
            let send = send.clone();
            // Where no thread can be started, the others do its work.
            let _ = thread::Builder::new().spawn_scoped(scope, move || run(send));
        }
        run(send);
    });
    let mut results: Vec<(usize, R)> = receive.into_iter().collect();
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_order() {
        let items: Vec<u64> = (0..100).collect();
        let wait = |item: &u64| {
            thread::sleep(std::time::Duration::from_micros(500 - 5 * item));
            item * item
        };
        assert_eq!(in_parallel(&items, wait), items.iter().map(|item| item * item).collect::<Vec<_>>());
        assert_eq!(in_parallel(&[], wait), <Vec<u64>>::new());
    }
}
