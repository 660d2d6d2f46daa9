import Foundation
import OakumTestKit
import RegistrationCore
import RegistrationHTTP
import Testing

@Suite struct TimestampTests {
    @Test func `times are written as RFC 3339 writes them`() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"), (951_782_399, "2000-02-28T23:59:59Z"), (951_782_400, "2000-02-29T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"),
        ] as [(Int64, String)] {
            #expect(Timestamp.text(UnixTime(seconds: seconds)) == text)
        }
    }

    @Test func `every second of ten thousand years comes back`() async throws {
        try await forAll(seeds: 500) { generator in
            let seconds = Int64(generator.int(-62_000_000_000...253_000_000_000))
            let date = try Date(Timestamp.text(UnixTime(seconds: seconds)), strategy: .iso8601)
            // Before 1582 Foundation counts by another calendar.
            guard seconds > -12_200_000_000 else { return }
            #expect(Int64(date.timeIntervalSince1970) == seconds)
        }
    }
}
