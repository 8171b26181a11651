//! Exit URLs belong to the direct flow.

use posten_signering::ExitUrls;
use posten_signering::portal::JobRequest;

fn wrong(urls: ExitUrls) {
    JobRequest::builder().exit_urls(urls);
}

fn main() {}
