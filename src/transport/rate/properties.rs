//! The limit of the service: the number of calls in any second.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::{LocalRateLimiter, RateLimiter};

/// The most calls in a second, of these permits in order.
fn most_in_a_second(permitted: &[Instant]) -> usize {
    let within = |from: usize| {
        let second = permitted[from] + Duration::from_secs(1);
        permitted[from..].iter().take_while(|call| **call <= second).count()
    };
    (0..permitted.len()).map(within).max().unwrap_or_default()
}

fn paused_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Processes that start at different times, and have something to do all the time.
    #[test]
    fn no_second_has_more_calls_of_all_shares_than_the_limit(
        limit in 1..40u32,
        starts in prop::collection::vec(0..3000u64, 1..12),
    ) {
        let of = u32::try_from(starts.len()).unwrap().min(limit);
        let mut permitted: Vec<Instant> = paused_runtime().block_on(async {
            let processes = starts.iter().take(of as usize).map(|start| {
                let (pace, start) = (LocalRateLimiter::per_second(limit).unwrap().share(1, of).unwrap(), *start);
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(start)).await;
                    let mut permitted = Vec::new();
                    for _ in 0..3 * limit {
                        pace.acquire("1", Duration::MAX).await.unwrap();
                        permitted.push(Instant::now());
                    }
                    permitted
                })
            });
            let mut permitted = Vec::new();
            for process in processes.collect::<Vec<_>>() {
                permitted.extend(process.await.unwrap());
            }
            permitted
        });
        permitted.sort_unstable();
        prop_assert!(most_in_a_second(&permitted) <= limit as usize, "{}", most_in_a_second(&permitted));
    }

    /// Calls come at any times, some are dropped, and the service refuses some.
    #[test]
    fn no_second_has_more_calls_than_the_limit(
        limit in 1..40u32,
        calls in prop::collection::vec((0..300u64, prop::option::weighted(0.3, 0..2000u64)), 1..120),
        refusal in prop::option::of(0..5000u64),
    ) {
        let permitted: Vec<Instant> = paused_runtime().block_on(async {
            let pace = Arc::new(LocalRateLimiter::per_second(limit).unwrap());
            if let Some(after) = refusal {
                let pace = Arc::clone(&pace);
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(after)).await;
                    pace.pause("1", Duration::from_secs(3)).await
                });
            }
            let mut waiting = Vec::new();
            for (pause, patience) in calls {
                tokio::time::sleep(Duration::from_millis(pause)).await;
                let pace = Arc::clone(&pace);
                let patience = patience.map_or(Duration::MAX, Duration::from_millis);
                waiting.push(tokio::spawn(async move {
                    let call = tokio::time::timeout(patience, pace.acquire("1", Duration::MAX));
                    call.await.ok().map(|_| Instant::now())
                }));
            }
            let mut permitted = Vec::new();
            for call in waiting {
                permitted.extend(call.await.unwrap());
            }
            permitted
        });
        prop_assert!(permitted.is_sorted(), "first come, first served");
        prop_assert!(most_in_a_second(&permitted) <= limit as usize, "{}", most_in_a_second(&permitted));
    }
}
