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
        let civil = without_zone.parse::<DateTime>().ok()?;
        TimeZone::UTC.to_timestamp(civil).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn every_form_that_the_service_writes_is_read() {
        let at = |text: &str| parse(text).map(|time| time.to_string());
        assert_eq!(at("2017-01-23T12:51:43+01:00").as_deref(), Some("2017-01-23T11:51:43Z"));
        assert_eq!(at("2017-01-23T12:51:43.5Z").as_deref(), Some("2017-01-23T12:51:43.5Z"));
        assert_eq!(at("2017-01-23T12:51:43+01:00[Europe/Oslo]").as_deref(), Some("2017-01-23T11:51:43Z"));
        assert_eq!(at(" 2017-01-23T12:51+01:00[Europe/Oslo]\n").as_deref(), Some("2017-01-23T11:51:00Z"));
        assert_eq!(at("2017-01-23T12:51:43").as_deref(), Some("2017-01-23T12:51:43Z"));
        assert_eq!(at("yesterday"), None);
    }
}
