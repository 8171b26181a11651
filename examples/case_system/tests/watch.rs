//! The alert rules and the dashboard.

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use posten_signering::sandbox::Sandbox;
use serde_json::Value;

use self::support::postgres::Postgres;
use self::support::system::System;
use self::support::{http, until};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("watch").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap()
}

/// The values of these keys in a YAML file, without its structure.
fn values<'a>(text: &'a str, key: &'a str) -> BTreeSet<&'a str> {
    let after =
        |line: &'a str| line.split_once(key).map(|(_, value)| value.split([',', ' ']).next().unwrap_or_default());
    text.lines().filter_map(after).collect()
}

fn promtool(arguments: &[&str]) {
    let output = Command::new("promtool").args(arguments).output().expect("needs the Debian package prometheus");
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
}

/// The queries of the dashboard.
fn queries() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&text("dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let queries = panels.iter().flat_map(|panel| {
        assert!(!panel["title"].as_str().unwrap().is_empty() && !panel["description"].as_str().unwrap().is_empty());
        panel["targets"].as_array().unwrap().iter().map(|target| target["expr"].as_str().unwrap().to_owned())
    });
    queries.collect()
}

#[test]
fn each_alert_has_a_test_in_which_it_fires() {
    let (rules, tests) = (text("alerts.yml"), text("alerts_test.yml"));
    let alerts = values(&rules, "- alert: ");
    assert!(alerts.len() >= 9, "{alerts:?}");
    // A test without an expected alert is in one line; one with, in several.
    let firing =
        tests.lines().filter(|line| line.trim_start().starts_with("alertname: ")).collect::<Vec<_>>().join("\n");
    assert_eq!(values(&firing, "alertname: "), alerts);
}

#[test]
#[ignore = "outside tool: needs promtool"]
fn outside_each_alert_fires_once_and_not_before_its_time() {
    promtool(&["check", "rules", &file("alerts.yml").display().to_string()]);
    promtool(&["test", "rules", &file("alerts_test.yml").display().to_string()]);
}

#[test]
#[ignore = "outside tool: needs promtool"]
fn outside_the_queries_of_the_dashboard_are_valid() {
    let queries = queries();
    assert!(queries.len() >= 8);
    let mut rules = "groups:\n  - name: dashboard\n    rules:\n".to_owned();
    for (at, query) in queries.iter().enumerate() {
        rules += &format!("      - {{ record: query{at}, expr: {} }}\n", serde_json::to_string(query).unwrap());
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rules.yml");
    std::fs::write(&path, rules).unwrap();
    promtool(&["check", "rules", &path.display().to_string()]);
}

/// The metrics of this system in a text.
fn metrics(text: &str) -> BTreeSet<&str> {
    let names = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    names.filter(|name| name.starts_with("case_system_")).collect()
}

/// The metrics of the library in a text, without the parts of histograms.
fn metrics_of_the_library(text: &str) -> BTreeSet<&str> {
    let names = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let names = names.filter(|name| name.starts_with("posten_signering_"));
    names.map(|name| name.trim_end_matches("_bucket").trim_end_matches("_count")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_every_metric_that_is_watched_exists_and_every_one_that_exists_is_watched() {
    let directory = tempfile::tempdir().unwrap();
    let database = Postgres::start();
    let sandbox = Sandbox::start().await.unwrap();
    let system = System::of(directory.path(), &database, &sandbox);
    let process = system.start("all");
    process.ready().await;
    let exported = until("the metrics of a worker", std::time::Duration::from_secs(30), async || {
        let text = http::get(process.port, "/metrics").await.unwrap().body;
        text.contains("case_system_worker_up").then_some(text)
    })
    .await;
    // At their first increase, alerts must see where they came from.
    for start in ["rate_limit_refusals_total 0", "rate_limiter_wait_seconds_count{outcome=\"failed\"} 0"] {
        assert!(exported.contains(&format!("\nposten_signering_{start}\n")), "{exported}");
    }
    let watched = text("alerts.yml") + &queries().join("\n");
    let mut exported = metrics(&exported);
    let watched = metrics(&watched);
    // Tells restarts apart in a query at hand.
    exported.remove("case_system_start_time_seconds");
    assert_eq!(watched, exported);
    let of_library: BTreeSet<_> = posten_signering::metrics::ALL.iter().map(|metric| metric.name).collect();
    let watched = text("alerts.yml") + &queries().join("\n");
    let watched = metrics_of_the_library(&watched);
    assert!(watched.len() >= 3 && watched.is_subset(&of_library), "{watched:?}");
}
