//! A setter is called once.

use posten_signering::Title;
use posten_signering::portal::JobRequest;

fn wrong(title: Title) {
    JobRequest::builder().title(title.clone()).title(title);
}

fn main() {}
