import OakumAPI
import OakumApp
import OakumModel
import Synchronization
import Testing

/// What a draft is written from is asked of a running `oakum`, in bounded questions.
@Suite struct PostmortemGatheringTests {
    private static func at(_ seconds: Double) -> WallTime {
        WallTime(milliseconds: 1_699_628_400_000 + Int64(seconds * 1_000))
    }

    private static func incident(detected: Double, resolved: Double) -> Incident {
        Incident(
            id: 7, title: "x", service: "registrar", kind: .memoryLeak, severity: .critical, state: .resolved,
            fingerprint: "x", milestones: Milestones(detected: at(detected), resolved: at(resolved)),
            updated: at(resolved))
    }

    private static func record(_ id: Int64, _ seconds: Double) -> EventRecord {
        let moment = Moment(uptime: Uptime(seconds: seconds), wall: at(seconds))
        return EventRecord(id: id, event: Event(kind: .verdict, at: moment, service: "registrar", message: "\(id)"))
    }

    @Test func `the journal is read back to the first sign, once, with its holes`() async throws {
        // One event a second; 300 of them were deleted, as an old journal's are.
        let records = (1...4_000).map { Self.record(Int64($0), Double($0)) }.filter { !(2_100...2_400).contains($0.id) }
        let plane = AnsweringPlane(incident: Self.incident(detected: 1_500, resolved: 2_600), records: records)
        let (source, remarks) = try await PostmortemGathering(control: plane, incidents: plane, now: Self.at(4_000))
            .source(of: 7)
        let numbers = try #require(source.events).compactMap { Int64($0.message) }
        #expect(numbers == numbers.sorted() && Set(numbers).count == numbers.count)
        // 1,100 s and a margin of 15 % on either side.
        #expect(numbers == (1_335...2_765).filter { !(2_100...2_400).contains($0) }.map(Int64.init))
        #expect(remarks == [])
        #expect(source.observeOnly == true && source.samplesHeap == nil)
    }

    @Test func `a journal without end is left after twenty pages, and that is said`() async throws {
        let records = (1...30_000).map { Self.record(Int64($0), Double($0) / 100) }
        let plane = AnsweringPlane(incident: Self.incident(detected: 0, resolved: 250), records: records)
        let (source, remarks) = try await PostmortemGathering(control: plane, incidents: plane, now: Self.at(300))
            .source(of: 7)
        #expect(plane.questions.withLock { $0 } == 20)
        #expect(try #require(source.events).isEmpty == false)
        #expect(remarks == ["the journal's beginning of that time lies too far back to be read"])
    }

    @Test func `memory is asked for in detail, and cut to the time of the incident`() async throws {
        let plane = AnsweringPlane(incident: Self.incident(detected: 1_000, resolved: 1_200), records: [])
        let (source, _) = try await PostmortemGathering(control: plane, incidents: plane, now: Self.at(8_000)).source(
            of: 7)
        let points = try #require(source.history).workers.flatMap(\.points)
        #expect(points.first?.at == Self.at(970) && points.last?.at == Self.at(1_230))
        let query = try #require(plane.asked.withLock { $0 })
        // 7,030 s back, of which 260 count: 600 points there.
        #expect(query.seconds == 7_030 && query.points == 10_000)
    }

    @Test func `what cannot be had is left out and said, the incident alone has to be there`() async throws {
        let plane = AnsweringPlane(incident: Self.incident(detected: 0, resolved: 10), records: [], isBroken: true)
        let (source, remarks) = try await PostmortemGathering(control: plane, incidents: plane, now: Self.at(20))
            .source(of: 7)
        #expect(source.history == nil && source.events == nil && source.onCall == nil && source.observeOnly == nil)
        #expect(remarks.count == 4 && remarks.allSatisfy { $0.hasSuffix(": broken") })
        await #expect(throws: ControlError.notFound("no incident 8")) {
            try await PostmortemGathering(control: plane, incidents: plane, now: Self.at(20)).source(of: 8)
        }
    }
}

/// Answers from values it was given.
private final class AnsweringPlane: ControlPlane, IncidentPlane {
    private let known: Incident
    private let records: [EventRecord]
    private let isBroken: Bool
    let questions = Mutex(0)
    let asked = Mutex<HistoryQuery?>(nil)

    init(incident: Incident, records: [EventRecord], isBroken: Bool = false) {
        known = incident
        self.records = records
        self.isBroken = isBroken
    }

    private func answer<Answer>(_ answer: Answer) throws(ControlError) -> Answer {
        guard !isBroken else { throw .failed("broken") }
        return answer
    }

    func overview() async throws(ControlError) -> Overview {
        let moment = Moment(uptime: Uptime(seconds: 0), wall: WallTime(milliseconds: 0))
        return try answer(
            Overview(
                at: moment,
                oakum: OakumStatus(
                    version: "1", pid: 1, keeperPID: nil, startedAt: moment, observeOnly: true, paused: false, rss: nil,
                    problems: []), services: []))
    }

    func history(_ query: HistoryQuery) async throws(ControlError) -> History {
        asked.withLock { $0 = query }
        let points = stride(from: 0.0, through: 8_000, by: 10).map { seconds in
            HistoryPoint(
                at: WallTime(milliseconds: 1_699_628_400_000 + Int64(seconds * 1_000)), floor: .mebibytes(1),
                peak: .mebibytes(2))
        }
        return try answer(
            History(
                service: query.service, budget: .mebibytes(8),
                workers: [WorkerHistory(number: 1, process: nil, points: points)]))
    }

    func events(_ query: EventQuery) async throws(ControlError) -> [EventRecord] {
        questions.withLock { $0 += 1 }
        guard let after = query.after else { return try answer(Array(records.suffix(query.limit))) }
        return try answer(Array(records.filter { $0.id > after }.prefix(query.limit)))
    }

    func incident(_ id: Int64) async throws(ControlError) -> IncidentReport {
        guard id == known.id else { throw .notFound("no incident \(id)") }
        return IncidentReport(incident: known, timeline: [], deliveries: [])
    }

    func onCall() async throws(ControlError) -> OnCallReport {
        try answer(OnCallReport(policies: [], schedules: [], silences: [], problems: [], deliveries: []))
    }

    // Nothing else is asked.
    func perform(_ command: ControlCommand) async throws(ControlError) -> CommandOutcome { throw .failed("not asked") }
    func releases(of service: String) async throws(ControlError) -> ReleaseList {
        throw .refused("\(service) takes no releases")
    }

    func heap(_ query: HeapQuery) async throws(ControlError) -> HeapView { throw .failed("not asked") }
    func heapFile(_ query: HeapQuery, as form: HeapFileForm) async throws(ControlError) -> [UInt8] {
        throw .failed("not asked")
    }
    func incidents(_ query: IncidentQuery) async throws(ControlError) -> [Incident] { throw .failed("not asked") }
    func act(_ act: IncidentAct, by actor: String) async throws(ControlError) -> IncidentOutcome {
        throw .failed("not asked")
    }
    func take(_ intake: [IntakeItem]) async throws(ControlError) -> [IntakeReceipt] { throw .failed("not asked") }
}
