//! What something costs, in a process of its own.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What a hostile document may cost: processor time, and memory beyond its size. Without optimization, code takes longer.
pub const MOST_SECONDS: f64 = if cfg!(debug_assertions) { 20.0 } else { 2.0 };
pub const MOST_MB: f64 = 200.0;

/// What something cost.
#[derive(Clone, Debug)]
pub struct Cost {
    /// Processor time, which other programs on the machine do not change.
    pub seconds: f64,
    /// At the peak, beyond what was there before and the document itself.
    pub mb: f64,
    pub outcome: String,
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} s, {:.0} MB, {}", self.seconds, self.mb, self.outcome)
    }
}

impl Cost {
    pub fn is_within_limits(&self) -> bool {
        self.seconds < MOST_SECONDS && self.mb < MOST_MB
    }
}

/// Measures this process, and prints the cost for [`of_a_test`].
pub fn measured(document: usize, work: impl FnOnce() -> String) {
    fs::write("/proc/self/clear_refs", "5").expect("Linux");
    let (memory, time) = (value("self", "VmRSS:").unwrap_or(0), processor_time("self").unwrap_or(0.0));
    let outcome = work();
    let (peak, after) = (value("self", "VmHWM:").unwrap_or(0), processor_time("self").unwrap_or(0.0));
    // The kernel counts roughly: the peak may seem to be below what there was before.
    let beyond = peak.saturating_sub(memory) as f64 / 1000.0 * 1.024 - document as f64 / 1e6;
    println!("\nCOST {} {} {}", after - time, beyond.max(0.0), outcome.replace('\n', " "));
}

/// Runs an ignored test of this program in a process of its own, which calls [`measured`].
pub fn of_a_test(name: &str, environment: &[(&str, &str)]) -> Cost {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", name, "--ignored", "--nocapture", "--test-threads=1"]);
    let output = command.envs(environment.iter().copied()).output().expect("run");
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("COST "));
    let line = line.unwrap_or_else(|| panic!("{name} ended: {text}{}", String::from_utf8_lossy(&output.stderr)));
    let mut parts = line.splitn(3, ' ');
    let mut number = || parts.next().and_then(|part| part.parse().ok()).expect("a figure");
    Cost { seconds: number(), mb: number(), outcome: parts.next().unwrap_or_default().to_owned() }
}

/// Runs another program, and looks at it every millisecond: what it does in the last one is not seen.
pub fn of_a_program(program: &Path, arguments: &[&str], document: usize) -> Cost {
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child: Child = command.spawn().expect("run");
    let pid = child.id().to_string();
    let (mut peak, mut seconds) = (0, 0.0);
    let status = loop {
        peak = value(&pid, "VmHWM:").unwrap_or(0).max(peak);
        seconds = processor_time(&pid).unwrap_or(seconds);
        match child.try_wait().expect("a status") {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    let mb = peak as f64 / 1000.0 * 1.024 - document as f64 / 1e6;
    Cost { seconds, mb: mb.max(0.0), outcome: status.to_string() }
}

/// In KiB.
fn value(process: &str, key: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// In seconds, in steps of a hundredth.
fn processor_time(process: &str) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    Some((fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?) / 100.0)
}
