//! That belongs to the portal flow.

use posten_signering::direct::JobRequest;

fn wrong() {
    JobRequest::builder().availability(30);
}

fn main() {}
