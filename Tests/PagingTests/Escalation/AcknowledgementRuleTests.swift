import OakumModel
import OakumTestKit
import Paging
import Testing

@Suite
struct AcknowledgementRuleTests {
    /// Memory that grows towards a limit at 1, and the forecast somebody with noisy eyes would give.
    private struct Growth {
        /// Seconds from 0 to the limit.
        var duration: Double
        /// The slope's factor from `faster` on.
        var factor = 1.0
        var fasterFrom = Double.infinity
        /// Relative error of the slope that is seen; its interval is as wide as it should be.
        var slopeError: Double
        /// Error of the level that is seen, as a share of the limit.
        var levelError: Double
        /// How much of the slope's error of one reading is left in the next one.
        var memory = 0.9

        func level(at seconds: Double) -> Double {
            let before = min(seconds, fasterFrom)
            return (before + max(0, seconds - fasterFrom) * factor) / duration
        }

        func slope(at seconds: Double) -> Double {
            (seconds >= fasterFrom ? factor : 1) / duration
        }

        func forecast(at seconds: Double, error: Double, _ generator: inout SeededGenerator) -> TimeToLimit {
            let slope = slope(at: seconds)
            let room = max(0, 1 - level(at: seconds) + generator.normal(deviation: levelError))
            let seen = max(slope * (1 + error), slope * 0.01)
            let half = 1.96 * slopeError * slope
            return TimeToLimit(low: room / (seen + half), high: seen > half ? room / (seen - half) : nil)
        }
    }

    private struct Outcome {
        /// When the acknowledgement given at 0 has ended; nil: it held until the limit was reached.
        var end: Double?
        var limit = 0.0
        var promised = 0.0
    }

    /// The promise is honest: the truth lies within the first forecast's interval.
    private func outcome(_ growth: Growth, every interval: Double, _ generator: inout SeededGenerator) -> Outcome {
        var rule: AcknowledgementRule?
        var outcome = Outcome()
        var error = min(1.96, max(-1.96, generator.normal())) * growth.slopeError
        while growth.level(at: outcome.limit) < 0.99 {
            let now = Uptime(seconds: outcome.limit)
            let forecast = growth.forecast(at: outcome.limit, error: error, &generator)
            if let reason = rule?.judge(severity: .error, forecast: forecast, at: now) {
                #expect(reason == .forecastWorse)
                outcome.end = outcome.end ?? outcome.limit
            }
            if rule == nil {
                rule = AcknowledgementRule(
                    severity: .error, givenAt: now, timeToLimit: forecast.low, until: nil)
                outcome.promised = forecast.low
            }
            let fresh = (1 - growth.memory * growth.memory).squareRoot() * growth.slopeError
            error = growth.memory * error + generator.normal(deviation: fresh)
            outcome.limit += interval
        }
        return outcome
    }

    @Test(arguments: [40.0, 3_600, 36_000], [0.02, 0.1, 0.2])
    func `noise never ends it`(duration: Double, error: Double) async throws {
        try await forAll(seeds: 60) { generator in
            let growth = Growth(duration: duration, slopeError: error, levelError: min(0.02, error / 4))
            let outcome = outcome(growth, every: max(1, duration / 600), &generator)
            #expect(outcome.end == nil, "\(outcome)")
        }
    }

    @Test(arguments: [40.0, 3_600, 36_000])
    func `a slope that doubles ends it before half of the time that is left has gone`(duration: Double) async throws {
        try await forAll(seeds: 60) { generator in
            let from = duration * generator.double(0.05..<0.5)
            let growth = Growth(
                duration: duration, factor: 2, fasterFrom: from, slopeError: 0.02, levelError: 0.005)
            let outcome = outcome(growth, every: max(0.5, duration / 600), &generator)
            let at = outcome.end ?? .infinity
            #expect(at >= from && at <= from + (duration - from) / 4, "doubled at \(from): \(outcome)")
        }
    }

    @Test(arguments: [40.0, 3_600, 36_000], [0.05, 0.1, 0.15])
    func `however noisy, no limit comes early by a quarter of what was promised without its having ended`(
        duration: Double, error: Double
    ) async throws {
        try await forAll(seeds: 60) { generator in
            let from = duration * generator.double(0..<0.9)
            let growth = Growth(
                duration: duration, factor: generator.double(1.5..<8), fasterFrom: from, slopeError: error,
                levelError: error / 10)
            let outcome = outcome(growth, every: max(0.1, duration / 1_000), &generator)
            #expect(outcome.end != nil || outcome.limit >= outcome.promised * 0.75, "faster at \(from): \(outcome)")
        }
    }

    private func rule(until: Double? = nil, timeToLimit: Double? = 1_000) -> AcknowledgementRule {
        AcknowledgementRule(
            severity: .error, givenAt: Uptime(seconds: 0), timeToLimit: timeToLimit,
            until: until.map(Uptime.init(seconds:)))
    }

    private let bad = TimeToLimit(low: 100, high: 200)
    private let good = TimeToLimit(low: 900, high: 1_200)

    @Test func `a higher severity ends it at once, a lower one does not`() {
        var rule = rule()
        #expect(rule.judge(severity: .warning, forecast: good, at: Uptime(seconds: 1)) == nil)
        #expect(rule.judge(severity: .critical, forecast: nil, at: Uptime(seconds: 2)) == .severityRaised)
    }

    @Test func `its time ends it, to the second`() {
        var rule = rule(until: 600)
        #expect(rule.judge(severity: .error, forecast: good, at: Uptime(seconds: 599.9)) == nil)
        #expect(rule.judge(severity: .error, forecast: good, at: Uptime(seconds: 600)) == .timeUp)
    }

    @Test func `bad readings have to last, and good ones in between make them have to last longer`() {
        func seconds(_ forecast: (Int) -> TimeToLimit) -> Int? {
            var rule = rule()
            return (1...300).first { second in
                rule.judge(severity: .error, forecast: forecast(second), at: Uptime(seconds: Double(second))) != nil
            }
        }
        #expect(seconds { _ in bad } == 21)
        #expect(seconds { $0 % 20 == 0 ? good : bad } == 22)
        #expect(seconds { $0 % 2 == 0 ? good : bad } == 53)
        #expect(seconds { $0 % 4 == 0 ? bad : good } == nil)
        #expect(seconds { _ in good } == nil)
    }

    @Test func `however far apart readings are, the first ones do not end it`() {
        var rule = rule(timeToLimit: 100_000)
        let none = TimeToLimit(low: 0, high: 0)
        #expect(rule.judge(severity: .error, forecast: none, at: Uptime(seconds: 10_000)) == nil)
        #expect(rule.judge(severity: .error, forecast: none, at: Uptime(seconds: 20_000)) == .forecastWorse)
    }

    @Test func `a forecast that is missing is no reading`() {
        var rule = rule()
        let before = rule
        #expect(rule.judge(severity: .error, forecast: nil, at: Uptime(seconds: 500)) == nil)
        #expect(rule == before)
    }

    @Test func `a first forecast, and a limit that comes when it was said to come, end nothing`() {
        var unknown = rule(timeToLimit: nil)
        var known = rule()
        for second in stride(from: 1.0, to: 2_000, by: 1) {
            #expect(unknown.judge(severity: .error, forecast: bad, at: Uptime(seconds: second)) == nil)
            let left = max(0, 1_000 - second)
            let forecast = TimeToLimit(low: left, high: left * 1.2)
            #expect(known.judge(severity: .error, forecast: forecast, at: Uptime(seconds: second)) == nil)
        }
    }

    @Test func `an early end over half of what remains ends nothing, one under it does`() {
        func ends(share: Double) -> Bool {
            var rule = rule()
            return stride(from: 1.0, to: 800, by: 1).contains { second in
                let forecast = TimeToLimit(low: (1_000 - second) * share, high: nil)
                return rule.judge(severity: .error, forecast: forecast, at: Uptime(seconds: second)) != nil
            }
        }
        #expect(!ends(share: 0.51))
        #expect(ends(share: 0.44))
    }

    @Test func `after a restart of the machine its times move with the clock`() {
        var rule = rule(until: 600)
        rule.rebase(by: 1_000)
        #expect(rule.judge(severity: .error, forecast: good, at: Uptime(seconds: 1_599)) == nil)
        #expect(rule.judge(severity: .error, forecast: good, at: Uptime(seconds: 1_600)) == .timeUp)
    }
}
