import Glibc

/// The sanitizer that `make sanitize` builds with; nil in ordinary runs.
///
/// An instrumented process holds memory of its own (shadow, freed blocks in quarantine), so tests that measure resident
/// memory say nothing there and are disabled.
package enum Sanitizer {
    package static let name: String? = getenv("OAKUM_SANITIZER").map { String(cString: $0) }
    package static let isOn = name != nil
}
