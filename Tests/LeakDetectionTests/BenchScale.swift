import Foundation  // environment

/// How large the simulations are: 1 in the test suite, which must be quick in a debug build; `make bench-detect` sets
/// OAKUM_DETECT_SCALE=100 and builds for release.
enum BenchScale {
    static let factor = Double(ProcessInfo.processInfo.environment["OAKUM_DETECT_SCALE"] ?? "") ?? 1
    static var isFull: Bool { factor >= 10 }

    static func summary(_ values: [Double], places: Int = 0) -> String {
        guard !values.isEmpty else { return "none" }
        let sorted = values.sorted()
        return [("median", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1)].map { name, share in
            "\(name) " + String(format: "%.\(places)f", at(sorted, share))
        }.joined(separator: "  ")
    }

    static func at(_ sorted: [Double], _ share: Double) -> Double {
        sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
    }

    static func column(_ text: String, _ width: Int) -> String {
        text.padding(toLength: width, withPad: " ", startingAt: 0)
    }
}
