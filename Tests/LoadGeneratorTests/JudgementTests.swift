import OakumModel
import Testing

@testable import LoadGenerator

struct LoadJudgementTests {
    /// A run of so many answers, all as slow as given, but the last `slow` ones.
    private func report(
        _ answers: Int, milliseconds: Double = 10, slow: Int = 0, slowMilliseconds: Double = 500, failed: Int = 0,
        late: Bool = false
    ) -> LoadReport {
        var recorder = LoadRecorder(streamNames: ["a", "b"])
        for number in 0..<answers {
            recorder.dispatched(lateBy: late ? 60_000_000 : 0)
            let isSlow = number >= answers - slow
            recorder.ended(
                stream: number % 2,
                number < failed ? .failed(.http5xx, status: 500, detail: "x") : .answered(status: 200),
                latency: Int64((isSlow ? slowMilliseconds : milliseconds) * 1e6), at: Double(number) * 0.001)
        }
        return recorder.report(startedAt: Uptime(seconds: 1), seconds: 10)
    }

    private func judge(
        _ report: LoadReport, _ thresholds: String..., loop: LoadLoop = .open, memory: TargetMemory? = nil
    ) throws -> LoadJudgement {
        LoadJudgement(
            report, loop: loop, thresholds: try thresholds.map { try LoadThreshold(parsing: $0) }, memory: memory)
    }

    @Test func `thresholds that hold pass, one that is crossed fails`() throws {
        let run = report(5_000, slow: 100)
        let passed = try judge(
            run, "p95 < 20ms", "max <= 600ms", "errors < 1%", "rate > 400/s", "mean < 50ms", "errors < 1")
        #expect(passed.verdict == .passed, "\(passed)")
        #expect(passed.thresholds.allSatisfy { $0.state == .held && $0.measured != nil })
        let crossed = try judge(run, "p95 < 20ms", "p99 < 100ms")
        #expect(crossed.verdict == .crossed)
        #expect(crossed.thresholds.map(\.state) == [.held, .crossed])
        #expect(crossed.verdict.exitCode == 1)
        #expect(try judge(run, "p99 of b < 1s", "p50 of a < 11ms").verdict == .passed)
        #expect(try judge(report(1_000, failed: 20), "http_5xx < 10").verdict == .crossed)
        #expect(try judge(report(1_000, failed: 20), "errors < 2.1%").verdict == .passed)
    }

    @Test func `few answers decide only what they can`() throws {
        // With 200 answers and none slower, more than one in a hundred may still be: 0.99²⁰⁰ = 13 %.
        let few = try judge(report(200), "p99 < 100ms")
        #expect(few.verdict == .noEvidence)
        #expect(few.verdict.exitCode == 3)
        #expect(try #require(few.thresholds[0].why).contains("1,000"))
        // With 300 it is 4.9 %.
        #expect(try judge(report(300), "p99 < 100ms").verdict == .passed)
        // Ten of 200 slower: surely more than one in a hundred.
        #expect(try judge(report(200, slow: 10), "p99 < 100ms").verdict == .crossed)
        #expect(try judge(report(200), "p90 < 100ms").verdict == .passed)
        #expect(try judge(report(50)).verdict == .noEvidence)
    }

    @Test func `the exact test agrees with the binomial law`() {
        // 0.99^n crosses 5 % between 298 and 299.
        #expect(TailTest.decide(slower: 0, of: 298, share: 0.01) == .unknown)
        #expect(TailTest.decide(slower: 0, of: 299, share: 0.01) == .below)
        // P(X ≥ 3 | 100, 1 %) = 7.9 %, P(X ≥ 4) = 1.8 %.
        #expect(TailTest.decide(slower: 3, of: 100, share: 0.01) == .unknown)
        #expect(TailTest.decide(slower: 4, of: 100, share: 0.01) == .above)
        #expect(TailTest.decide(slower: 100, of: 100, share: 0.01) == .above)
    }

    @Test func `a generator at its limit says so, and its failures still count`() throws {
        let late = try judge(report(5_000, late: true), "p99 < 100ms", "errors < 1%")
        #expect(late.verdict == .noEvidence)
        #expect(late.thresholds.map(\.state) == [.undecided, .undecided])
        #expect(try judge(report(5_000, failed: 500, late: true), "errors < 1%").verdict == .crossed)
        var busy = report(5_000)
        busy.busyShare = 0.97
        #expect(try judge(busy).verdict == .noEvidence)
        #expect(try judge(busy).reasons[0].contains("97 %"))
        var delayed = report(5_000)
        delayed.sendDelayP99Milliseconds = 8
        #expect(try judge(delayed).verdict == .noEvidence)
        #expect(try judge(delayed, loop: .closed).verdict == .passed)
    }

    @Test func `who reads the figures is told what they are worth`() throws {
        var run = report(5_000)
        run.waited = 1_000
        run.endedEarly = true
        run.waitShare = 0.3
        let remarks = try judge(run, loop: .closed).remarks
        #expect(remarks.count == 4)
        #expect(remarks.contains { $0.contains("20 % of the requests waited for a connection") })
        #expect(try judge(report(5_000)).remarks.isEmpty)
        var recorder = LoadRecorder(streamNames: (0..<200).map { "r\($0)" })
        for number in 0..<400 {
            recorder.dispatched(lateBy: 0)
            let status = number % 200 == 7 ? 401 : 200
            recorder.ended(stream: number % 200, .answered(status: status), latency: 5_000_000, at: 0.1)
        }
        let many = recorder.report(startedAt: Uptime(seconds: 1), seconds: 1)
        #expect(many.statuses == [200: 398, 401: 2])
        #expect(
            try judge(many).remarks == ["r7 was answered 401 alone, as was expected: its usual work was not loaded"])
        #expect(try #require(many.latency).p50 < 5.01)
        #expect(try #require(many.streams[3].latency).p50 < 5.06)
    }

    @Test func `nothing answered is nothing measured, whatever was asked`() throws {
        var recorder = LoadRecorder(streamNames: ["a"])
        for _ in 0..<500 {
            recorder.dispatched(lateBy: 0)
            recorder.ended(stream: 0, .failed(.refused, status: nil, detail: "x"), latency: 1, at: 0.1)
        }
        let judgement = try judge(recorder.report(startedAt: Uptime(seconds: 1), seconds: 1), "errors < 1%")
        #expect(judgement.verdict == .nothingMeasured)
        #expect(judgement.verdict.exitCode == 4)
    }

    private func memory(_ bytes: [UInt64], lost: String? = nil) -> TargetMemory {
        var memory = TargetMemory()
        for (number, value) in bytes.enumerated() {
            memory.add(TargetMemory.Sample(seconds: Double(number) / 4, residentBytes: value))
        }
        memory.lost = lost
        return memory
    }

    @Test func `the target's memory has thresholds of its own`() throws {
        let mebibyte: UInt64 = 1 << 20
        // 20 MiB of warm-up, then 1 MiB every ten samples.
        let growing = memory((0..<100).map { $0 < 10 ? 2 * $0 * mebibyte : (20 + $0 / 10) * mebibyte })
        let run = report(1_000)
        #expect(growing.growthBytes == Double(7 * mebibyte))
        #expect(try judge(run, "memory < 64MiB", "memory_growth < 8MiB", memory: growing).verdict == .passed)
        #expect(try judge(run, "memory < 25MiB", memory: growing).verdict == .crossed)
        #expect(try judge(run, "memory_growth < 1MiB", memory: growing).verdict == .crossed)
        #expect(try judge(run, "memory_growth < 1MiB", memory: memory([1, 2, 3])).verdict == .noEvidence)
        #expect(try judge(run, "memory < 1MiB").verdict == .noEvidence)
        let restarted = memory([mebibyte, mebibyte], lost: "process 7 had ended 3.0 s into the run")
        #expect(try judge(run, "memory < 64MiB", memory: restarted).verdict == .noEvidence)
        #expect(try judge(run, memory: restarted).reasons[0].contains("process 7"))
        // Even a generator at its limit has filled the memory it has filled.
        #expect(try judge(report(1_000, late: true), "memory < 25MiB", memory: growing).verdict == .crossed)
    }

    @Test func `memory samples stay bounded and keep the peak`() {
        let many = memory((0..<UInt64(TargetMemory.capacity * 3)).map { $0 == 9_999 ? 1 << 40 : $0 + 1 })
        #expect(many.samples.count < TargetMemory.capacity)
        #expect(many.peakBytes == 1 << 40)
    }

    @Test func `samples of a long run span the same time, and growth is that of the whole`() throws {
        let readings = UInt64(TargetMemory.capacity * 3)
        let long = memory((0..<readings).map { $0 * 1_000 })
        let gaps = zip(long.samples, long.samples.dropFirst()).map { $1.seconds - $0.seconds }
        #expect(Set(gaps) == [1])
        // From a quarter of the run, in the middle of the tenth after the first fifth, to the middle of the last tenth.
        let growth = try #require(long.growthBytes) / Double(readings * 1_000)
        #expect((0.69...0.71).contains(growth), "\(growth)")
    }

    @Test func `a limit beyond every number is only a limit`() throws {
        #expect(try judge(report(200), "p99 < 99999999999999999999s").verdict == .noEvidence)
        #expect(try judge(report(5_000), "p99 < 99999999999999999999s").verdict == .passed)
        let beyond = String(repeating: "9", count: 400)
        #expect(throws: LoadThreshold.Failure.self) { try LoadThreshold(parsing: "p99 < \(beyond)s") }
    }

    @Test(arguments: [
        "p99", "p99 < ", "p0 < 1s", "p100 < 1s", "p99 < 200", "errors < -1%", "memory < 5", "latency < 1s", "< 1s",
        "p99 of < 1s", "errors of a < 1%", "p99 = 1s", "p99 < 1e9s",
    ])
    func `what is no threshold is refused with the ways to write one`(text: String) {
        do throws(LoadThreshold.Failure) {
            _ = try LoadThreshold(parsing: text)
            Issue.record("\(text) was taken")
        } catch {
            #expect(error.message.contains("memory_growth < 10MiB") || error.message.contains("only latencies"))
        }
    }

    @Test func `figures are written for people`() {
        #expect(Figures.number(1_234_567.891, places: 2) == "1,234,567.89")
        #expect(Figures.number(-0.4, places: 0) == "0")
        #expect(Figures.number(0.05, places: 1) == "0.1")
        #expect(Figures.milliseconds(0.4234) == "0.42 ms")
        #expect(Figures.milliseconds(1_240) == "1.24 s")
        #expect(Figures.bytes(1_536) == "1.5 KiB")
        #expect(Figures.seconds(5_400) == "90.0 min")
    }
}
