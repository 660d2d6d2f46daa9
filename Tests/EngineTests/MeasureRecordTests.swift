import AlertRules
import OakumAPI
import OakumModel
import Testing

@testable import OakumEngine

/// What charts are drawn from.
struct MeasureRecordTests {
    private static func moment(_ seconds: Double) -> Moment {
        Moment(
            uptime: Uptime(seconds: 500 + seconds),
            wall: WallTime(milliseconds: 1_700_000_040_000 + Int64(seconds * 1_000)))
    }

    /// Two workers, counted every two seconds: 20 requests, 2 failures and 5 sign-ups a second, until some second.
    private static func reading(_ seconds: Double, tells: Bool = true, serves: Bool = true) -> ServiceReading {
        let workers =
            !serves
            ? []
            : (1...2).map { number in
                WorkerReading(
                    number: UInt32(number), process: ProcessIdentity(pid: Int32(number), startTicks: 1),
                    startedAt: moment(-10).uptime, probe: .answered, wasAsked: true,
                    counters: tells
                        ? WorkerCounters(
                            requests: 10 * (seconds + 10), failures: seconds + 10,
                            business: ["sign-ups": 2.5 * (seconds + 10)]) : nil)
            }
        return ServiceReading(at: moment(seconds), workers: workers, desired: 2)
    }

    private static func record(_ seconds: ClosedRange<Int>, _ change: (Double) -> ServiceReading) -> MeasureRecord {
        var record = MeasureRecord()
        for second in stride(from: seconds.lowerBound, through: seconds.upperBound, by: 2) {
            record.add(change(Double(second))) { _ in nil }
        }
        return record
    }

    private static func rates(_ measure: MeasureHistory?) -> [Double] {
        measure?.points.map { ($0.count / $0.seconds * 10).rounded() / 10 } ?? []
    }

    @Test func `all workers are counted together, in slots of six seconds`() throws {
        let series = Self.record(0...60) { Self.reading($0) }.series(since: Self.moment(-100).wall)
        #expect(series.map(\.kind) == [.business, .failures, .requests])
        #expect(Set(Self.rates(series[0])) == [5] && Set(Self.rates(series[1])) == [2])
        #expect(Set(Self.rates(series[2])) == [20])
        let times = series[2].points.map(\.at.milliseconds)
        #expect(times.count == 11 && times == times.sorted() && times.allSatisfy { $0 % 6_000 == 0 })
    }

    @Test func `when nobody serves nothing is counted, and that is a zero`() {
        let series = Self.record(0...60) { Self.reading($0, serves: !(20...40).contains($0)) }
            .series(since: Self.moment(0).wall)
        #expect(Self.rates(series.first { $0.kind == .business }).contains(0))
    }

    @Test func `what workers do not tell is no zero`() {
        let series = Self.record(0...60) { Self.reading($0, tells: $0 < 20) }.series(since: Self.moment(0).wall)
        let rates = Self.rates(series.first { $0.kind == .business })
        #expect(!rates.isEmpty && !rates.contains(0))
        #expect(Self.record(0...60) { Self.reading($0, tells: false) }.series(since: Self.moment(0).wall).isEmpty)
        // A service that never told anything and has no worker at all is not measured either.
        #expect(Self.record(0...60) { Self.reading($0, serves: false) }.series(since: Self.moment(0).wall).isEmpty)
    }

    @Test func `it is bounded, and older times are coarser`() throws {
        let record = Self.record(0...90_000) { Self.reading($0) }
        let recent = record.series(since: Self.moment(90_000 - 1_800).wall)
        #expect(try #require(recent.first).points.count == 301)
        let all = try #require(record.series(since: Self.moment(0).wall).first)
        #expect(all.points.count == 720 && all.points.allSatisfy { $0.at.milliseconds % 60_000 == 0 })
        #expect(Set(Self.rates(all)) == [5])
    }

    @Test func `a clock that is set back leaves times in order`() throws {
        var record = Self.record(0...60) { Self.reading($0) }
        for second in stride(from: 62.0, through: 120, by: 2) {
            var reading = Self.reading(second)
            reading.at.wall.milliseconds -= 50_000
            record.add(reading) { _ in nil }
        }
        let times = try #require(record.series(since: Self.moment(-1_000).wall).first).points.map(\.at)
        #expect(times == times.sorted() && Set(times).count == times.count)
    }
}
