internal import Foundation  // the standard library has no public function for NFC

/// The NFC form of a text (UAX #15): the same password typed on two keyboards becomes the same bytes.
@Sendable package func normalisedToNFC(_ text: String) -> String {
    text.precomposedStringWithCanonicalMapping
}
