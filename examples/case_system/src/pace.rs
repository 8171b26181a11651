//! One rate limit for all processes, on any number of machines.
//!
//! The table `pace` has a row for each organization number, with the time at which the next call is permitted. A call
//! takes that time as its turn, and moves it by one interval: one statement, whose lock on the row is held only while
//! the statement runs. The clock is that of the database, so the clocks of the machines do not matter.
//!
//! * **Fair.** PostgreSQL gives the row to those who wait for it in the order in which they came, whatever process they
//!   are in.
//! * **Deadline.** A call whose turn comes too late fails at once, and takes no turn.
//! * **A refusal by the service** moves the next turn of all processes. A call that has its turn already finds out just
//!   before it, because the number of refusals has changed, and takes a new turn.
//! * **Late calls.** A turn lapses when a process comes to it more than 100 milliseconds late, because the machine was
//!   busy, or when the database took longer than 250 milliseconds to give it. Otherwise calls that were held up together
//!   would be sent together.
//! * **A database that is far away** does not make calls late: the wait begins when the answer is here, and the question
//!   about refusals is asked as much earlier as an answer takes. So the distance moves all calls of a process by the same
//!   time, up to a quarter of a second.
//! * **Dropped calls.** A call that is dropped while it waits does not give its turn back: it may not be the last one.
//!   One interval stays unused.
//!
//! # When the database is away
//!
//! Calls wait for it until their deadline, and then fail with nothing sent. The other choice is a local share, with the
//! library's `Fallback`. This system does not use it, for two reasons. A call that it makes without the database is a
//! call whose outcome it cannot store, so the rate is not what is missing. And while some processes reach the database
//! and others do not, the sum of the shared rate and the local shares may be above the limit.
//!
//! # With Redis
//!
//! The same in a script of five lines, which Redis runs as one step: read the key `pace:{organization}`, take the
//! greater of it and `TIME`, return nil if that is after the deadline, otherwise store it plus the interval with
//! `SET ... PX`, and return it. The refusals are a second key that the script returns too. Redis may lose its last
//! writes in a failover: then some turns are given twice, and the service may refuse calls for 30 seconds.

use std::time::Duration;

use deadpool_postgres::Pool;
use posten_signering::{RateLimiter, RateLimiterError, RateLimiterFuture};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::Result;

/// Between two attempts while the database is away.
const RETRY: Duration = Duration::from_millis(500);

/// After this time, a turn that was not used lapses.
const LATE: Duration = Duration::from_millis(100);

/// If the database takes longer than this to give a turn, it lapses: nobody knows when in this time the wait began.
const SLOW: Duration = Duration::from_millis(250);

/// How much earlier than its turn a call asks for refusals, besides the time that the answer takes.
const EARLY: Duration = Duration::from_millis(50);

/// The longest wait, and the longest interval: times that can be added to another one here and in the database.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// How long one query may take. A database can be silent instead of failing.
const QUERY: Duration = Duration::from_secs(5);

/// A rate limiter that counts in the database. Clones count together.
#[derive(Clone, Debug)]
pub struct SharedPace {
    pool: Pool,
    interval: Duration,
    deadline: Duration,
}

impl SharedPace {
    /// Creates a rate limiter for this number of calls a second, and for calls that wait at most for the deadline.
    ///
    /// The pool should be its own, of two or three connections: a call must not wait behind a transaction that stores
    /// a document. The service permits 10 calls a second, and counts them when they arrive. A call with its turn is late
    /// by the time that it takes to connect, or to sign a document package. With 8 calls a second, ten intervals are
    /// 1.25 seconds, so a call may be a quarter of a second late.
    ///
    /// # Errors
    ///
    /// An error if the rate is not a number of calls that can be made, of one a day or more.
    pub fn new(pool: Pool, calls_per_second: f64, deadline: Duration) -> Result<Self> {
        let interval = Duration::try_from_secs_f64(1.0 / calls_per_second).ok();
        let interval = interval.filter(|interval| !interval.is_zero() && *interval <= LONGEST);
        let interval = interval.ok_or("the rate is not a number of calls a second")?;
        Ok(Self { pool, interval, deadline: deadline.min(LONGEST) })
    }
}

/// The turn of a call.
struct Turn {
    /// When it comes, by the clock of this machine. Counted from the answer of the database, so never too early.
    at: Instant,
    /// How long a question to the database takes, with the wait for a connection.
    trip: Duration,
    /// The number of refusals when the turn was given.
    refusals: i64,
}

/// The outcome of waiting for a turn.
enum Waited {
    Permitted,
    /// Take another one.
    Lapsed,
    /// The turn would come after the deadline, so none was taken.
    TooLong,
}

impl SharedPace {
    /// Waits until one more call is permitted. `false`: not within this time.
    ///
    /// # Errors
    ///
    /// The last error of the database, if it has been away until the deadline.
    pub async fn permitted(&self, organization: &str, max_wait: Duration) -> Result<bool> {
        let deadline = Instant::now() + max_wait.min(self.deadline);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.try_once(organization, left).await {
                Ok(Waited::Permitted) => return Ok(true),
                Ok(Waited::TooLong) => return Ok(false),
                // A turn that is free at once can be had after the deadline too, and lapse again.
                Ok(Waited::Lapsed) if Instant::now() < deadline => {}
                Ok(Waited::Lapsed) => return Err("the machine or the database is too slow for the rate limit".into()),
                Err(error) if Instant::now() + RETRY >= deadline => return Err(error),
                Err(_) => sleep(RETRY).await,
            }
        }
    }

    /// Takes a turn and waits for it.
    async fn try_once(&self, organization: &str, max_wait: Duration) -> Result<Waited> {
        let turn = match in_time(self.take(organization, max_wait)).await? {
            Ok(turn) => turn,
            Err(waited) => return Ok(waited),
        };
        // A turn that comes sooner was given a moment ago: the number is as new as another answer would be.
        let ask_at = turn.at.checked_sub(turn.trip + EARLY).filter(|at| *at > Instant::now());
        if let Some(at) = ask_at {
            sleep_until(at).await;
            if in_time(self.refusals(organization)).await? != turn.refusals {
                return Ok(Waited::Lapsed);
            }
        }
        sleep_until(turn.at).await;
        Ok(if turn.at.elapsed() <= LATE { Waited::Permitted } else { Waited::Lapsed })
    }

    /// Takes the next turn, unless it comes too late.
    async fn take(&self, organization: &str, max_wait: Duration) -> Result<Result<Turn, Waited>> {
        let begun = Instant::now();
        let client = self.pool.get().await?;
        let statement = client
            .prepare_cached(
                "INSERT INTO pace AS p (organization, next)
                 VALUES ($1, clock_timestamp() + make_interval(secs => $2))
                 ON CONFLICT (organization) DO UPDATE
                     SET next = greatest(p.next, clock_timestamp()) + make_interval(secs => $2)
                     WHERE p.next <= clock_timestamp() + make_interval(secs => $3)
                 RETURNING extract(epoch FROM next - clock_timestamp())::float8 - $2, refusals",
            )
            .await?;
        let (interval, max_wait) = (self.interval.as_secs_f64(), max_wait.as_secs_f64());
        let asked = Instant::now();
        let Some(row) = client.query_opt(&statement, &[&organization, &interval, &max_wait]).await? else {
            return Ok(Err(Waited::TooLong));
        };
        let answered = Instant::now();
        if answered - asked > SLOW {
            return Ok(Err(Waited::Lapsed));
        }
        // Negative if a row was just added.
        let wait = Duration::try_from_secs_f64(row.get(0)).unwrap_or_default();
        Ok(Ok(Turn { at: answered + wait, trip: answered - begun, refusals: row.get(1) }))
    }

    async fn refusals(&self, organization: &str) -> Result<i64> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached("SELECT refusals FROM pace WHERE organization = $1").await?;
        Ok(client.query_one(&statement, &[&organization]).await?.get(0))
    }

    /// Moves the next turn of all processes, because the service refuses all calls for this time.
    ///
    /// # Errors
    ///
    /// An error if the database is away. Then other processes find out from the service.
    pub async fn refused(&self, organization: &str, pause: Duration) -> Result<()> {
        let client = self.pool.get().await?;
        let sql = "INSERT INTO pace AS p (organization, next, refusals)
                   VALUES ($1, clock_timestamp() + make_interval(secs => $2), 1)
                   ON CONFLICT (organization) DO UPDATE
                       SET next = greatest(p.next, clock_timestamp() + make_interval(secs => $2)),
                           refusals = p.refusals + 1";
        client.execute(sql, &[&organization, &pause.min(LONGEST).as_secs_f64()]).await?;
        Ok(())
    }
}

async fn in_time<T>(query: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(QUERY, query).await?
}

impl RateLimiter for SharedPace {
    fn acquire<'a>(&'a self, organization: &'a str, max_wait: Duration) -> RateLimiterFuture<'a> {
        Box::pin(async move {
            match self.permitted(organization, max_wait).await {
                Ok(true) => Ok(()),
                Ok(false) => Err(RateLimiterError::WaitTooLong),
                Err(error) => Err(RateLimiterError::failed(error)),
            }
        })
    }

    fn pause<'a>(&'a self, organization: &'a str, pause: Duration) -> RateLimiterFuture<'a> {
        Box::pin(async move { self.refused(organization, pause).await.map_err(RateLimiterError::failed) })
    }
}
