import Incidents
import OakumModel
import OakumTestKit
import Paging
import Testing

/// An auditor (after that of Grafana OnCall) looks at every open incident after every event of random histories, with crashes and
/// a store that fails among them: its next step is due in time, and every page that was triggered is delivered, failed, withdrawn,
/// or still under way, and told of once.
struct AuditorTests {
    @Test func `no step is overdue, and every page triggered is accounted for`() async throws {
        try await forAll(seeds: 20) { generator in
            var audit = Audit(generator)
            for number in 0..<250 {
                audit.happen()
                try audit.check()
                if number % 25 == 0 { try audit.checkAccounts() }
            }
            // Whatever is under way comes to its end; what that triggers too.
            for _ in 0..<2_000 where !audit.underWay.isEmpty {
                audit.end(audit.underWay.keys.min())
                try audit.check()
            }
            #expect(audit.underWay.isEmpty)
            try audit.checkAccounts(isOver: true)
            generator = audit.generator
        }
    }

    @Test func `hours without a word end every escalation, and page nobody any more`() async throws {
        try await forAll(seeds: 4) { generator in
            var audit = Audit(generator)
            for _ in 0..<60 { audit.happen() }
            audit.desk.wait(2 * 3_600)
            audit.collect()
            try audit.check()
            try audit.checkAccounts()
            audit.desk.wait(3 * 3_600)
            audit.collect()
            let pages = audit.desk.pages.count
            audit.desk.wait(1_800)
            let late = audit.desk.pages[pages...].filter { $0.kind != .resolved && $0.kind != .stakeholders }
            // Silences and acknowledgements are over by now too, and so is what followed from their end.
            #expect(late.isEmpty, "\(late.map(\.kind))")
            for record in audit.desk.book.records.values where record.incident.state == .open {
                let isTold = record.incident.severity >= .error
                #expect(!isTold || record.desk.course?.phase == .exhausted, "#\(record.incident.id)")
            }
        }
    }
}

/// A desk, the post office that its pages go to, and who checks both.
private struct Audit {
    var desk: Desk
    var generator: SeededGenerator
    /// Pages whose outcome has not been told: true when they were withdrawn.
    var underWay: [String: Bool] = [:]
    private var results: [String: PageOutcome.Result] = [:]
    private var collected = 0

    init(_ generator: SeededGenerator) {
        self.generator = generator
        desk = Desk { settings in
            // Nothing is forgotten before the accounts are closed.
            settings.reopenSeconds = 30 * 86_400
            settings.forgottenSeconds = 30 * 86_400
        }
    }

    /// Something happens: an alert, an act, an outcome, time, a crash.
    mutating func happen() {
        let id = Int64(generator.int(1...5))
        switch generator.int(0...11) {
        case 0...2: handle(.alert(alert()))
        case 3: handle(.acknowledged(id, by: "ada"))
        case 4: handle(.resolved(id, nil, by: "ben"))
        case 5: handle(.silenced(id, seconds: 120, reason: "why not", by: "ada"))
        case 6: handle(.silenceEnded(Int64(generator.int(1...5)), by: "ben"))
        case 7: desk = desk.restarted()
        case 8, 9: end(underWay.keys.sorted().randomElement(using: &generator))
        default: desk.wait(generator.int(1...90))
        }
        // Without this second a step might be due this very moment.
        desk.handle(.tick)
        collect()
    }

    private mutating func alert() -> Alert {
        let kind = generator.pick([AlertKind.memoryLeak, .cpu, .errorRate, .disk, .outside]) ?? .cpu
        let service: String? = generator.chance(0.5) ? "web" : nil
        return desk.alert(
            kind, "\(kind.rawValue) \(service ?? "")", service: service,
            severity: generator.pick(Severity.allCases) ?? .error,
            status: generator.chance(0.5) ? .firing : .resolved,
            evidence: kind == .memoryLeak ? Desk.leak(named: generator.chance(0.5)) : nil)
    }

    /// Once in ten times the store fails: then nothing of it has happened, and whoever told it may tell it again.
    private mutating func handle(_ event: IncidentEvent) {
        let before = desk
        desk.handle(event)
        if generator.chance(0.1) { desk = before }
    }

    /// A page's way ends, and the desk hears of it; nil: there is none.
    mutating func end(_ page: String?) {
        guard let page, let isWithdrawn = underWay[page] else { return }
        let results: [PageOutcome.Result] = isWithdrawn ? [.withdrawn, .delivered, .dead] : [.delivered, .dead]
        let result = generator.pick(results) ?? .dead
        let before = desk
        desk.handle(.outcome(PageOutcome(page: page, result: result, attempts: 1, at: desk.now.wall, words: "")))
        // Not stored: the outbox tells it once more.
        if generator.chance(0.1) {
            desk = before
        } else {
            self.results[page] = result
            underWay[page] = nil
            // Told twice is told once.
            if generator.chance(0.1) {
                desk.handle(
                    .outcome(PageOutcome(page: page, result: result, attempts: 1, at: desk.now.wall, words: "")))
            }
        }
        collect()
    }

    /// The outbox takes what was stored for it.
    mutating func collect() {
        for page in desk.pages[collected...] { underWay[page.id] = false }
        collected = desk.pages.count
        for page in desk.withdrawn where underWay[page] != nil { underWay[page] = true }
    }

    // MARK: - The auditor

    mutating func check() throws {
        let now = desk.now
        for record in desk.book.records.values where record.incident.state != .resolved {
            let id = record.incident.id
            if let due = desk.book.dueAt(record) {
                try #require(due > now.uptime, "#\(id) has something to do that was due")
            }
            if let held = record.desk.heldUntil { try #require(held <= now.uptime + 10, "#\(id) waits for evidence") }
            try #require(desk.stored[id]?.incident.state == record.incident.state)
            switch record.incident.state {
            case .open where record.incident.severity >= .error && record.desk.heldUntil == nil:
                try checkEscalation(record)
            case .acknowledged:
                guard let course = record.desk.course else { break }
                guard case .acknowledged(let until?) = course.phase else {
                    try #require(course.phase == .ended, "#\(id): \(course.phase)")
                    break
                }
                try #require(until <= now.uptime + 3_600)
            default: break
            }
        }
    }

    /// Somebody is told next in time, or everybody has been, or a silence says who wanted it so.
    private func checkEscalation(_ record: IncidentRecord) throws {
        let id = record.incident.id
        if record.desk.isSilenced {
            try #require(
                desk.book.silences.values.contains { $0.until > desk.now.wall }, "#\(id) is silent for no reason")
            return
        }
        switch record.desk.course?.phase {
        case .waiting(let due, _): try #require(due <= desk.now.uptime + 300, "#\(id) waits for too long")
        case .exhausted: try #require(desk.kinds(id).contains(.exhausted), "#\(id) is exhausted and does not say so")
        case let phase: Issue.record("#\(id) pages nobody: \(String(describing: phase))")
        }
    }

    /// Triggered = delivered + failed + withdrawn + under way, page by page, and each end has its one line in the timeline.
    func checkAccounts(isOver: Bool = false) throws {
        let triggered = desk.pages.map(\.id)
        try #require(Set(triggered).count == triggered.count, "two pages have one id")
        try #require(Set(triggered) == Set(results.keys).union(underWay.keys))
        try #require(Set(results.keys).isDisjoint(with: underWay.keys))
        let told = desk.timeline.filter { [.paged, .stakeholdersTold].contains($0.kind) }.compactMap(\.evidence)
        let failed = desk.timeline.filter { $0.kind == .deliveryFailed }.compactMap(\.evidence)
        try #require(told.sorted() == results.filter { $0.value == .delivered }.keys.sorted())
        try #require(failed.sorted() == results.filter { $0.value == .dead }.keys.sorted())
        let outstanding = desk.book.records.values.flatMap { $0.desk.outstanding.map(\.id) }
        try #require(outstanding.sorted() == underWay.keys.sorted())
        if isOver { try #require(outstanding.isEmpty) }
    }
}
