import Foundation  // environment

/// How many incidents are simulated: a few of each kind in the test suite, which must be quick in a debug build.
/// `OAKUM_DIAGNOSIS_SCALE=20 swift test --filter DiagnosisTests` gives the rates that docs/diagnosis.md states.
enum Scale {
    static let factor = Double(ProcessInfo.processInfo.environment["OAKUM_DIAGNOSIS_SCALE"] ?? "") ?? 1

    static func seeds(_ count: Int) -> ClosedRange<UInt64> { 1...UInt64(max(1, Double(count) * factor)) }
}

/// Hits of so many.
struct Tally {
    private(set) var right = 0
    private(set) var count = 0
    private(set) var misses: [String: Int] = [:]

    mutating func add(_ isRight: Bool, _ miss: @autoclosure () -> String) {
        count += 1
        if isRight { right += 1 } else { misses[miss(), default: 0] += 1 }
    }

    var share: Double { Double(right) / Double(max(1, count)) }
    var words: String {
        "\(right) of \(count)"
            + (misses.isEmpty
                ? ""
                : ", missed: "
                    + misses.sorted { $0.key < $1.key }.map { "\($0.key) ×\($0.value)" }
                    .joined(separator: ", "))
    }
}

/// The value below which this share of the values lies.
func quantile(_ values: [Double], _ share: Double) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? .nan : sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
}
