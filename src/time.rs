//! Date-times as the service writes them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Reads an ISO 8601 date-time with an offset, or a zone in brackets after it (as Java writes them), or neither.
///
/// Without an offset it is taken as UTC: `xs:dateTime` allows it, and the service has no other zone to mean.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let without_zone = text.split_once('[').map_or(text, |(before, _)| before);
    without_zone.parse::<Timestamp>().ok().or_else(|| {
        // A date alone is no time of day.
        let civil = without_zone.contains('T').then(|| without_zone.parse::<DateTime>().ok())??;
        TimeZone::UTC.to_timestamp(civil).ok()
    })
}

/// Reads the `Date` of an HTTP answer (RFC 9110, section 5.6.7).
pub(crate) fn parse_http(text: &str) -> Option<Timestamp> {
    Some(jiff::fmt::rfc2822::parse(text).ok()?.timestamp())
}

/// Writes a date-time as the service reads it: UTC, whole seconds.
pub(crate) fn write(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::{parse, write};

    #[test]
    fn every_form_that_the_service_writes_is_read() {
        let at = |text: &str| parse(text).map(|time| time.to_string());
        assert_eq!(at("2017-01-23T12:51:43+01:00").as_deref(), Some("2017-01-23T11:51:43Z"));
        assert_eq!(at("2017-01-23T12:51:43.5Z").as_deref(), Some("2017-01-23T12:51:43.5Z"));
        assert_eq!(at("2017-01-23T12:51:43+01:00[Europe/Oslo]").as_deref(), Some("2017-01-23T11:51:43Z"));
        assert_eq!(at(" 2017-01-23T12:51+01:00[Europe/Oslo]\n").as_deref(), Some("2017-01-23T11:51:00Z"));
        assert_eq!(at("2017-01-23T12:51:43").as_deref(), Some("2017-01-23T12:51:43Z"));
        assert_eq!(at("2017-01-23"), None);
        assert_eq!(at("yesterday"), None);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let time = parse("2017-01-23T12:51:43.987654321+01:00").unwrap();
        assert_eq!(write(time), "2017-01-23T11:51:43Z");
        assert_eq!(parse(&write(time)).unwrap().as_second(), time.as_second());
    }
}
