import AlertRules
import Glibc
import OakumModel
import Testing

/// False alarms on weeks with nothing wrong about them, and how soon a drop is told. With FULL=1 in a release build these are the
/// runs of docs/alert-rules.md.
@Suite struct OrdinaryWeeksTests {
    private static let isFull = getenv("FULL") != nil

    @Test func `ordinary weeks raise nothing, quiet weekends and nights included`() {
        let weeks =
            Self.isFull
            ? OrdinaryWeeks.all(
                repetitions: 6, bases: [0.003, 0.02, 0.1, 0.5, 3, 20], histories: [0, 4, 10, 28],
                shapes: OrdinaryWeeks.Shape.allCases)
            : OrdinaryWeeks.all(repetitions: 1, bases: [0.5], histories: [0, 28], shapes: [.smooth, .office, .bursts])
        let length = Self.isFull ? 14.0 : 3
        let alarms = weeks.reduce(0) { $0 + $1.alarms(days: length, every: Self.isFull ? 30 : 60) }
        #expect(alarms <= Int(length * Double(weeks.count) / 1_000), "\(alarms) in \(weeks.count) × \(length) days")
    }

    @Test func `the first weekend is no drop, whatever day watching began`() {
        var told: [String] = []
        for start in Self.isFull ? Array(0..<6) : [2, 4] {
            let first = OrdinaryWeeks.monday + Int64(start) * 86_400_000
            let weeks =
                Self.isFull
                ? OrdinaryWeeks.all(
                    repetitions: 1, bases: [0.02, 0.1, 0.5, 3, 20], histories: [0, 1, 2, 3, 4, 5],
                    shapes: OrdinaryWeeks.Shape.allCases)
                : OrdinaryWeeks.all(repetitions: 1, bases: [3], histories: [start], shapes: [.smooth, .office])
            for week in weeks {
                // Through the first Monday after it.
                let length = Double(9 - start)
                let alarms = week.alarms(days: length, every: Self.isFull ? 30 : 60, first: first)
                if alarms > 0 { told.append("\(alarms): day \(start), \(week)") }
            }
        }
        #expect(told.count <= (Self.isFull ? 3 : 0), "\(told)")
    }

    /// They are drops to whoever does not know of them; the number is what was measured, and a fall in it is welcome.
    @Test(.enabled(if: isFull, "FULL=1")) func `one unannounced holiday in seven is told`() {
        let weeks = OrdinaryWeeks.all(
            repetitions: 6, bases: [0.02, 0.1, 0.5, 3, 20, 0.003], histories: [28],
            shapes: [.smooth, .office, .steep, .bursts])
        let alarms = weeks.reduce(0) {
            $0 + $1.alarms(days: 14, every: 30, holidays: [2: 0.62, 8: 0.66, 10: 0.7])
        }
        #expect(alarms <= weeks.count * 3 / 6)
    }

    /// Medians of the table, and room for other seeds than its.
    @Test(arguments: [
        (rate: 0.114, share: 0.0, atMost: 400.0), (3, 0.3, 60), (3, 0.5, 120), (20, 0.5, 30),
    ])
    func `a drop is told as soon as the table says`(rate: Double, share: Double, atMost: Double) throws {
        let drop = DropCase(rate: rate, unrest: (0.05, 0.03), share: share)
        let delays = drop.delays(seeds: 1...(Self.isFull ? 21 : 3))
        #expect(delays.count >= (Self.isFull ? 19 : 2))
        #expect(try #require(DropCase.median(delays)) <= atMost)
    }
}
