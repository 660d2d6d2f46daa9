import Testing

@testable import LoadGenerator

struct ArrivalScheduleTests {
    private func plan(seed: UInt64, _ arrivals: ArrivalPattern, _ steps: [LoadStep]) -> LoadPlan {
        LoadPlan(
            seed: seed, targets: [LoadTarget(port: 1)],
            streams: steps[0].perSecond.map { _ in
                LoadStream(request: RequestTemplate(name: "a", path: TextTemplate(literal: "/")), arrivals: arrivals)
            }, steps: steps)
    }

    @Test(arguments: [1, 2, 77] as [UInt64])
    func `the same seed gives the same schedule, another seed another`(seed: UInt64) {
        let steps = [LoadStep(seconds: 10, perSecond: [20, 5])]
        let first = Array(ArrivalSchedule(plan: plan(seed: seed, .poisson, steps)))
        #expect(first == Array(ArrivalSchedule(plan: plan(seed: seed, .poisson, steps))))
        #expect(first != Array(ArrivalSchedule(plan: plan(seed: seed + 1, .poisson, steps))))
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `a schedule is in order, within its time, near its rates, and counts each stream`(seed: UInt64) {
        let steps = [LoadStep(seconds: 30, perSecond: [40, 10]), LoadStep(seconds: 10, perSecond: [0, 100])]
        let arrivals = Array(ArrivalSchedule(plan: plan(seed: seed, .poisson, steps)))
        #expect(zip(arrivals, arrivals.dropFirst()).allSatisfy { $0.offsetNanoseconds <= $1.offsetNanoseconds })
        #expect(arrivals.allSatisfy { (0..<40_000_000_000).contains($0.offsetNanoseconds) })
        let streams = [0, 1].map { stream in arrivals.filter { $0.stream == stream } }
        // Means 1,200 and 1,300; six standard deviations.
        #expect((990...1410).contains(streams[0].count))
        #expect((1080...1520).contains(streams[1].count))
        #expect(streams[0].allSatisfy { $0.offsetNanoseconds < 30_000_000_000 })
        for stream in streams { #expect(stream.map(\.index) == Array(0..<UInt64(stream.count))) }
    }

    @Test func `a uniform stream keeps its gaps`() {
        let arrivals = Array(ArrivalSchedule(plan: plan(seed: 1, .uniform, [LoadStep(seconds: 1, perSecond: [4])])))
        #expect(arrivals.map(\.offsetNanoseconds) == [125_000_000, 375_000_000, 625_000_000, 875_000_000])
    }
}

struct PlanCheckTests {
    private let good = LoadPlan(
        seed: 1, targets: [LoadTarget(port: 80)],
        streams: [LoadStream(request: RequestTemplate(name: "ping", path: TextTemplate(literal: "/")))],
        steps: [LoadStep(seconds: 1, perSecond: [1])])

    @Test func `a good plan has no problem`() {
        #expect(good.problem == nil)
    }

    private static let mistakes: [(@Sendable (inout LoadPlan) -> Void, String)] = [
        ({ $0.targets = [] }, "no target"), ({ $0.targets[0].port = 0 }, "outside 1...65535"),
        ({ $0.timeoutSeconds = 0 }, "timeout"), ({ $0.streams = [] }, "no stream"),
        ({ $0.streams[0].request.method = "GET /" }, "no HTTP method"),
        ({ $0.streams[0].request.headers = [("a b", TextTemplate(literal: ""))] }, "no header name"),
        ({ $0.steps = [] }, "no step"), ({ $0.steps[0].seconds = .nan }, "give more than 0"),
        ({ $0.steps[0].perSecond = [1, 2] }, "2 rates for 1 streams"),
        ({ $0.steps[0].perSecond = [-1] }, "outside 0...1000000"),
        (
            { plan in
                let header = try? TextTemplate(parsing: "{{token}}")  // Cannot fail; nil would fail the test.
                plan.streams[0].request.headers = header.map { [("authorization", $0)] } ?? []
            }, "no preparation captures"
        ),
        (
            {
                $0.connections.thinkSeconds = 1...3
                $0.steps[0].perSecond = [200]
            }, "give at least 400"
        ),
    ]

    @Test(arguments: mistakes.indices)
    func `a mistake is named`(number: Int) throws {
        var plan = good
        Self.mistakes[number].0(&plan)
        #expect(try #require(plan.problem).contains(Self.mistakes[number].1))
    }

    @Test func `an impossible plan does not run`() async {
        var plan = good
        plan.steps = []
        await #expect(throws: LoadError.self) { try await LoadRun(plan).run() }
    }
}

struct TextTemplateTests {
    private func text(_ template: String, index: UInt64 = 5, _ captured: CapturedValues = CapturedValues()) throws
        -> String?
    {
        var random = SeededRandom(seed: 1)
        var bytes: [UInt8] = []
        guard try TextTemplate(parsing: template).append(to: &bytes, index: index, random: &random, captured: captured)
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `variables are filled in and the rest stays`() throws {
        var captured = CapturedValues()
        captured.add(Array("abc".utf8), as: "token")
        #expect(try text("/u/{{index}}?t={{ token }}&{x}", captured) == "/u/5?t=abc&{x}")
        #expect(try text("{{random}}") == "910a2dec89025cc1")
        #expect(try text("{\"a\":{\"b\":1}}") == "{\"a\":{\"b\":1}}")
        #expect(try text("{{nothing}}") == nil)
    }

    private func text(_ template: String, _ captured: CapturedValues) throws -> String? {
        try text(template, index: 5, captured)
    }

    @Test func `a template that cannot be read says why`() {
        #expect(throws: TextTemplate.Failure.unclosed) { try TextTemplate(parsing: "a {{index") }
        #expect(throws: TextTemplate.Failure.badName("a-b")) { try TextTemplate(parsing: "{{a-b}}") }
        #expect(throws: TextTemplate.Failure.badName("")) { try TextTemplate(parsing: "{{}}") }
    }

    @Test func `captured values are bounded, the oldest leave`() {
        var captured = CapturedValues()
        for number in 0..<(CapturedValues.capacity + 10) { captured.add(Array("\(number)".utf8), as: "n") }
        #expect(captured.count(of: "n") == CapturedValues.capacity)
        var random = SeededRandom(seed: 9)
        let picked = (0..<2_000).compactMap { _ in captured.pick("n", random: &random) }
        #expect(picked.count == 2_000)
        #expect(!picked.contains(Array("3".utf8)))
    }
}

struct RecorderTests {
    @Test func `seconds are kept apart and the worst one is found`() {
        var recorder = LoadRecorder(streamNames: ["a"])
        for second in 0..<3 {
            for _ in 0..<100 {
                recorder.dispatched(lateBy: 0)
                recorder.ended(
                    stream: 0, .answered(status: 200), latency: second == 1 ? 80_000_000 : 1_000_000,
                    at: Double(second) + 0.5)
            }
        }
        let report = recorder.report(startedAt: uptimeNow(), seconds: 3)
        #expect(report.timeline.map(\.second) == [0, 1, 2])
        #expect(abs((report.worstP99Milliseconds ?? 0) - 80) < 1)
        #expect(report.noEvidence == nil)
    }

    @Test func `the timeline stays bounded, merging what it has`() {
        var recorder = LoadRecorder(streamNames: ["a"])
        let length = LoadRecorder.timelineCapacity * 3
        for second in 0..<length {
            let fails = second == 5_000
            recorder.ended(
                stream: 0, fails ? .failed(.reset, status: nil, detail: "") : .answered(status: 200),
                latency: 1_000_000, at: Double(second))
        }
        let report = recorder.report(startedAt: uptimeNow(), seconds: Double(length))
        #expect(report.timeline.count <= LoadRecorder.timelineCapacity)
        #expect(report.timelineResolutionSeconds == 4)
        #expect(report.timeline.reduce(0) { $0 + $1.requests } == UInt64(length))
        #expect(report.timeline.filter { $0.failures[.reset] == 1 }.map(\.second) == [5_000])
        #expect(report.firstFailureSeconds == 5_000)
    }

    @Test func `a silent second does not make one stretch two records`() {
        var recorder = LoadRecorder(streamNames: ["a"])
        let length = LoadRecorder.timelineCapacity + 100
        for second in 0..<length where second != 10 {
            recorder.ended(stream: 0, .answered(status: 200), latency: 1_000_000, at: Double(second))
        }
        let report = recorder.report(startedAt: uptimeNow(), seconds: Double(length))
        #expect(report.timelineResolutionSeconds == 2)
        #expect(zip(report.timeline, report.timeline.dropFirst()).allSatisfy { $0.second < $1.second })
        #expect(report.timeline.allSatisfy { $0.second % 2 == 0 })
        #expect(report.timeline.reduce(0) { $0 + $1.requests } == UInt64(length - 1))
    }

    @Test func `a generator that sends late says it is no evidence`() throws {
        var recorder = LoadRecorder(streamNames: ["a"])
        for number in 0..<100 { recorder.dispatched(lateBy: number < 2 ? 60_000_000 : 0) }
        let report = recorder.report(startedAt: uptimeNow(), seconds: 1)
        #expect(try #require(report.noEvidence).contains("2.0 %"))
    }

    @Test func `what was not sent is no failure of the service, but spoils the evidence`() throws {
        var recorder = LoadRecorder(streamNames: ["a"])
        recorder.dispatched(lateBy: 0)
        recorder.ended(stream: 0, .failed(.notSent, status: nil, detail: "no port"), latency: 0, at: 1)
        let report = recorder.report(startedAt: uptimeNow(), seconds: 1)
        #expect(report.requests == 0)
        #expect(report.failed == 0)
        #expect(report.failures[.notSent] == 1)
        #expect(try #require(report.noEvidence).contains("no port"))
    }
}
