import Incidents
import OakumModel
import Paging
import Testing

struct IncidentBookTests {
    @Test func `an alert opens an incident and pages the first step at once`() {
        var desk = Desk()
        let answer = desk.handle(.alert(desk.alert(.errorRate)))
        #expect(answer.isNew && answer.incident == 1)
        #expect(desk.pages.map(\.channel) == ["mail"])
        #expect(desk.pages.first?.address == "ada@example.org")
        #expect(desk.pages.first?.kind == .opened)
        #expect(desk.pages.first?.links.map(\.url) == ["https://example.org/runbook"])
        #expect(desk.urgent == Set(desk.pages.map(\.id)))
        #expect(desk.stored[1]?.incident.state == .open)
    }

    @Test func `the same alert told again is counted and changes nothing else`() {
        var desk = Desk()
        let alert = desk.alert(.errorRate)
        desk.handle(.alert(alert))
        for _ in 0..<50 {
            let answer = desk.handle(.alert(alert))
            #expect(answer.incident == 1 && !answer.isNew && answer.changes.isEmpty)
        }
        #expect(desk.pages.count == 1)
        #expect(desk.book.records[1]?.incident.alertCount == 51)
    }

    @Test func `a leak hides what follows from it`() {
        var desk = Desk()
        desk.handle(.alert(desk.alert(.memoryLeak, "leak", evidence: Desk.leak(named: true))))
        for kind in [AlertKind.cpu, .latency, .errorRate, .memory] {
            let answer = desk.handle(.alert(desk.alert(kind, kind.rawValue)))
            #expect(answer.incident == 1)
        }
        desk.handle(.alert(desk.alert(.pressure, "psi", service: nil)))
        #expect(desk.book.openCount == 1)
        #expect(desk.pages.count == 1)
        #expect(desk.kinds().count { $0 == .suppressed } == 5)
        desk.handle(.alert(desk.alert(.disk, "disk", service: nil)))
        #expect(desk.book.openCount == 2)
    }

    @Test func `the cause that comes after its symptom takes the incident over and is told`() throws {
        var desk = Desk()
        desk.handle(.alert(desk.alert(.cpu, "cpu", severity: .error)))
        desk.wait(30)
        desk.handle(.alert(desk.alert(.memoryLeak, "leak", severity: .error, evidence: Desk.leak(named: true))))
        let incident = try #require(desk.stored[1]?.incident)
        #expect(incident.kind == .memoryLeak)
        #expect(incident.title.contains("Cache.put (cache.swift:12)"))
        #expect(incident.alerts.first { $0.kind == .cpu }?.isSymptom == true)
        #expect(desk.pages.map(\.kind) == [.opened, .updated])
        #expect(desk.kinds().contains(.causeNamed))
    }

    @Test func `the first page waits for the name, and no longer than it may`() {
        var desk = Desk()
        var alert = desk.alert(.memoryLeak, "leak", evidence: Desk.leak(named: false))
        alert.awaitsEvidence = true
        desk.handle(.alert(alert))
        desk.wait(3)
        #expect(desk.pages.isEmpty)
        desk.handle(.alert(desk.alert(.memoryLeak, "leak", evidence: Desk.leak(named: true))))
        #expect(desk.pages.count == 1)
        let facts = Dictionary(uniqueKeysWithValues: desk.pages[0].facts.map { ($0.name, $0.value) })
        #expect(facts["verdict"] == "leak")
        #expect(facts["time to limit"] == "5 min to 7 min")
        #expect(facts["site"] == "Cache.put (cache.swift:12)")
        #expect(facts["type"] == "[UInt8]")
        #expect(facts["held by"] == "static Cache.shared → [UInt8]")
        #expect(facts["what Oakum does"] == "recycled before the limit")

        var slow = Desk()
        slow.handle(.alert(alert))
        slow.wait(11)
        #expect(slow.pages.count == 1)
        slow.handle(.alert(slow.alert(.memoryLeak, "leak", evidence: Desk.leak(named: true))))
        #expect(slow.pages.map(\.kind) == [.opened, .updated])
    }

    @Test func `it escalates until somebody acknowledges, and says when the path is at its end`() {
        var desk = Desk()
        desk.handle(.alert(desk.alert(.errorRate)))
        desk.wait(301)
        #expect(desk.pages.map(\.kind) == [.opened, .escalated, .escalated, .escalated])
        desk.wait(1_000)
        #expect(desk.kinds().contains(.exhausted))
        let sent = desk.pages.count
        desk.wait(2_000)
        #expect(desk.pages.count == sent)

        var quiet = Desk()
        quiet.handle(.alert(quiet.alert(.errorRate)))
        let answer = quiet.handle(.acknowledged(1, by: "ada"))
        #expect(answer.message == "#1 is acknowledged by ada")
        quiet.wait(3_000)
        #expect(quiet.pages.count == 1)
        quiet.wait(700)
        #expect(quiet.kinds().contains(.acknowledgementEnded))
        #expect(quiet.pages.count == 2)
        #expect(quiet.stored[1]?.incident.state == .open)
    }

    @Test func `an acknowledgement ends when the limit comes clearly nearer, not by noise`() {
        var desk = Desk()
        desk.handle(.alert(desk.alert(.memoryLeak, "leak", evidence: Desk.leak(named: true, timeToLimit: 1_000))))
        desk.handle(.acknowledged(1, by: "ada"))
        for second in 0..<60 {
            let noisy = 1_000 - Double(second) + Double(second % 5) * 10
            desk.handle(.alert(desk.alert(.memoryLeak, "leak", evidence: Desk.leak(named: true, timeToLimit: noisy))))
            desk.wait(1)
        }
        #expect(desk.stored[1]?.incident.state == .acknowledged)
        for _ in 0..<60 {
            desk.handle(.alert(desk.alert(.memoryLeak, "leak", evidence: Desk.leak(named: true, timeToLimit: 100))))
            desk.wait(1)
        }
        #expect(desk.stored[1]?.incident.state == .open)
        #expect(desk.kinds().contains(.acknowledgementEnded))
    }

    @Test func `nothing fires any more: mitigated, after a while resolved, and back within the hour reopened`() {
        var desk = Desk()
        desk.handle(.alert(desk.alert(.errorRate)))
        desk.handle(.alert(desk.alert(.errorRate, status: .resolved)))
        #expect(desk.stored[1]?.incident.state == .mitigated)
        desk.wait(301)
        #expect(desk.stored[1]?.incident.state == .resolved)
        #expect(desk.pages.map(\.kind) == [.opened, .mitigated, .resolved])
        desk.wait(600)
        let answer = desk.handle(.alert(desk.alert(.errorRate)))
        #expect(answer.incident == 1 && !answer.isNew)
        #expect(desk.stored[1]?.incident.state == .open && desk.stored[1]?.incident.reopened == 1)
        #expect(desk.pages.last?.kind == .reopened || desk.pages.last?.kind == .opened)
        desk.handle(.resolved(1, "fixed", by: "ada"))
        desk.wait(4_000)
        #expect(desk.handle(.alert(desk.alert(.errorRate))).incident == 2)
    }

    @Test func `what another system resolves is resolved at once`() {
        var desk = Desk()
        desk.handle(.alert(desk.alert(.outside, "x", service: nil, source: .intake)))
        desk.handle(.alert(desk.alert(.outside, "x", service: nil, source: .intake, status: .resolved)))
        #expect(desk.stored[1]?.incident.state == .resolved)
    }

    @Test func `a recycle buys time, only the slope afterwards mitigates`() {
        var desk = Desk()
        desk.handle(.alert(desk.alert(.memoryLeak, "leak", evidence: Desk.leak(named: true))))
        desk.handle(.acted(service: "web", .acted, "web/3 is recycled"))
        desk.handle(.slopeJudged(service: "web", "it grows as before: the recycle bought 31 s", holds: false))
        #expect(desk.stored[1]?.incident.state == .open)
        #expect(desk.stored[1]?.incident.mitigation == "it grows as before: the recycle bought 31 s")
        desk.handle(.slopeJudged(service: "web", "no leak 10 min after", holds: true))
        #expect(desk.stored[1]?.incident.state == .mitigated)
    }

    @Test func `nobody is paged during a silence, and when it ends they are`() {
        var desk = Desk()
        desk.handle(.alert(desk.alert(.errorRate)))
        #expect(desk.handle(.silenced(1, seconds: 10, reason: "short", by: "ada")).refusal != nil)
        desk.handle(.silenced(1, seconds: 600, reason: "known", by: "ada"))
        desk.wait(500)
        #expect(desk.pages.count == 1)
        desk.handle(.alert(desk.alert(.errorRate, "other", service: "web")))
        #expect(desk.pages.count == 1)
        desk.wait(101)
        #expect(desk.pages.count == 2)
    }

    @Test func `the business hears of a loss once a state, with its numbers`() {
        var desk = Desk()
        desk.handle(.alert(desk.alert(.memoryLeak, "leak", evidence: Desk.leak(named: true))))
        #expect(!desk.pages.contains { $0.kind == .stakeholders })
        let onset = desk.now.wall
        func loss(_ actual: Double, _ expected: Double, until: WallTime? = nil) -> Impact {
            Impact(
                what: "sign-ups", service: "web", actual: actual,
                expected: Estimate(estimate: expected, low: expected * 0.9, high: expected * 1.1), from: onset,
                until: until, basis: "the same hour of 5 earlier days")
        }
        desk.handle(.impact(service: "web", [loss(20, 41)], onset: onset, restored: nil))
        desk.handle(.impact(service: "web", [loss(100, 200)], onset: onset, restored: nil))
        desk.wait(240)
        desk.handle(
            .impact(service: "web", [loss(205, 412, until: desk.now.wall)], onset: onset, restored: desk.now.wall))
        let told = desk.pages.filter { $0.kind == .stakeholders }
        #expect(told.map(\.channel) == ["board", "board"])
        #expect(told.last?.title == "web: sign-ups 205 of 412 expected, −50 %, since t+0; restored t+240; cause known")
        #expect(desk.kinds().contains(.impactOnset) && desk.kinds().contains(.restored))
    }

    @Test func `a page that cannot be delivered is said and makes the next step due`() {
        var desk = Desk()
        desk.handle(.alert(desk.alert(.errorRate)))
        let page = desk.pages[0].id
        desk.handle(.outcome(PageOutcome(page: page, result: .dead, attempts: 9, at: desk.now.wall, words: "550")))
        #expect(desk.kinds().contains(.deliveryFailed))
        #expect(desk.pages.map(\.kind) == [.opened, .escalated, .escalated, .escalated])
        desk.handle(
            .outcome(
                PageOutcome(page: desk.pages[1].id, result: .delivered, attempts: 1, at: desk.now.wall, words: "250")))
        #expect(desk.stored[1]?.incident.milestones.paged == desk.now.wall)
    }

    @Test func `a restart forgets nothing`() {
        var desk = Desk()
        desk.handle(.alert(desk.alert(.errorRate)))
        desk.wait(200)
        var again = desk.restarted()
        #expect(again.handle(.alert(again.alert(.errorRate))).isNew == false)
        again.wait(101)
        #expect(again.pages.map(\.kind) == [.opened, .escalated, .escalated, .escalated])
        again.handle(.acknowledged(1, by: "ben"))
        var third = again.restarted()
        third.wait(1_000)
        #expect(third.pages.filter { $0.kind == .escalated }.count == 3)
        #expect(Set(third.pages.map(\.id)).count == third.pages.count)
    }

    @Test func `a service whose policy is none has incidents and pages nobody`() {
        var desk = Desk { $0.services["web"] = ServicePaging(pagesNobody: true) }
        desk.handle(.alert(desk.alert(.memoryLeak, evidence: Desk.leak(named: false))))
        desk.wait(30)
        desk.handle(.alert(desk.alert(.memoryLeak, evidence: Desk.leak(named: true))))
        desk.wait(2_000)
        #expect(desk.pages.isEmpty)
        #expect(desk.stored[1]?.incident.state == .open && desk.stored[1]?.incident.policy == nil)
        let said = desk.timeline.filter { $0.kind == .suppressed }.map(\.text)
        #expect(said == ["nobody is paged: the service's policy is `none`"])
        #expect(!desk.kinds().contains(.exhausted))
        // Of the host, and of others, people hear as ever.
        desk.handle(.alert(desk.alert(.disk, "d", service: nil)))
        #expect(desk.pages.map(\.incident) == [2])
    }

    @Test func `a storm opens one incident a service and keeps memory bounded`() {
        var desk = Desk { settings in
            settings.services = Dictionary(uniqueKeysWithValues: (0..<50).map { ("s\($0)", ServicePaging()) })
        }
        for index in 0..<20_000 {
            desk.handle(.alert(desk.alert(.outside, "a\(index)", service: "s\(index % 50)", source: .intake)))
        }
        #expect(desk.book.openCount == 50)
        #expect(desk.pages.count == 50)
        #expect(desk.urgent.count == 50)
        for index in 0..<2_000 {
            desk.handle(.alert(desk.alert(.outside, "b\(index)", service: nil, source: .intake)))
        }
        #expect(desk.book.openCount == IncidentBook.openLimit + 1)
    }
}

extension IncidentBookTests {
    @Test func `a title names the place as people say it`() throws {
        var desk = Desk()
        var evidence = Desk.leak(named: true)
        evidence.heap[0].function =
            "RegistrationFaults.VerificationContext.init(account: Core.NewAccount) -> Some.Thing"
        evidence.heap[0].file = "/src/Verification.swift"
        evidence.heap[0].line = 45
        desk.handle(.alert(desk.alert(.memoryLeak, "leak", evidence: evidence)))
        #expect(
            desk.stored[1]?.incident.title == "web: memory leak in VerificationContext.init (Verification.swift:45)")
        var plain = Desk()
        evidence.heap[0].function = "operator new(unsigned long)"
        evidence.heap[0].site = "operator new(unsigned long) (new.cc:3)"
        plain.handle(.alert(plain.alert(.memoryLeak, "leak", evidence: evidence)))
        #expect(plain.stored[1]?.incident.title == "web: memory leak in operator new(unsigned long) (new.cc:3)")
    }

    @Test func `limits of texts count characters, in any alphabet`() {
        var desk = Desk()
        desk.handle(.alert(desk.alert(.errorRate)))
        let letters = { String(repeating: "漢", count: $0) }
        #expect(desk.handle(.note(1, letters(4_000), by: "ada")).refusal == nil)
        #expect(desk.handle(.note(1, letters(4_001), by: "ada")).refusal != nil)
        #expect(desk.handle(.silenced(1, seconds: 60, reason: letters(500), by: "ada")).refusal == nil)
        #expect(desk.handle(.silenced(1, seconds: 60, reason: letters(501), by: "ada")).refusal != nil)
        func open(_ title: String) -> IncidentAnswer {
            desk.handle(.opened(title: title, service: nil, severity: .error, details: nil, by: "ada"))
        }
        #expect(open(letters(200)).refusal == nil)
        #expect(open(letters(201)).refusal != nil)
    }

    @Test func `what fires of its own is known after a restart, with whose it is`() {
        var desk = Desk()
        desk.handle(.alert(desk.alert(.memoryLeak, "leak/web", source: .verdict, evidence: Desk.leak(named: true))))
        desk.handle(.alert(desk.alert(.pressure, "pressure/memory", service: nil)))
        desk.handle(.alert(desk.alert(.cpu, "cpu/web")))
        desk.handle(.alert(desk.alert(.cpu, "cpu/web", status: .resolved)))
        desk.handle(.alert(desk.alert(.outside, "x", service: nil, source: .intake)))
        desk.wait(100)
        let again = desk.restarted()
        let fired = again.book.ownFiring(at: again.now)
        #expect(fired.map(\.fingerprint) == ["leak/web", "pressure/memory"])
        #expect(fired.map(\.service) == ["web", nil])
        #expect(fired.map(\.source) == [.verdict, .rule])
        #expect(fired.allSatisfy { again.now.uptime - $0.since.uptime == 100 })
    }
}
