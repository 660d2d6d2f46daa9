import AlertRules
import OakumModel
import OakumTestKit
import Testing

@Suite struct WorkerRuleTests {
    @Test func `a worker that hangs is told in seconds, and all of them as an outage`() throws {
        let watched = Watched(SimulatedService(seed: 1, workers: 4))
        watched.run(60)
        let began = watched.service.now.uptime
        watched.service.workers[0].answers = false
        let one = try #require(watched.run(until: .unresponsive, atMost: 60) as Alert?)
        #expect(one.at.uptime - began <= 9)
        #expect(one.severity == .error && one.impact == nil)
        #expect(one.summary == "registrar: 1 of 4 workers does not answer the readiness probe (registrar/1)")
        for index in watched.service.workers.indices { watched.service.workers[index].answers = false }
        let all = try #require(watched.run(until: .unresponsive, atMost: 60) as Alert?)
        #expect(all.severity == .critical && all.fingerprint == one.fingerprint)
        let hung = watched.service.now.wall
        watched.run(120)
        for index in watched.service.workers.indices { watched.service.workers[index].answers = true }
        let mended = watched.service.now.wall
        let over = try #require(watched.run(until: .unresponsive, .resolved, atMost: 120) as Alert?)
        let impact = try #require(over.impact?.first)
        #expect(impact.actual == 0 && impact.expected.estimate == 4)
        #expect(abs(Double(impact.from.milliseconds - hung.milliseconds)) <= 12_000)
        #expect(impact.until.map { abs(Double($0.milliseconds - mended.milliseconds)) <= 4_000 } == true)
    }

    @Test func `a probe that fails once, or a pause of Oakum, is no outage`() {
        let watched = Watched(SimulatedService(seed: 2))
        for _ in 0..<100 {
            watched.run(10)
            watched.service.workers[0].answers = false
            watched.run(2)
            watched.service.workers[0].answers = true
        }
        watched.service.workers[0].answers = false
        watched.run(2)
        watched.service.advance(3_600)
        watched.run(2)
        #expect(watched.told.isEmpty)
    }

    @Test func `a service of which no worker serves any more is down`() throws {
        let watched = Watched(SimulatedService(seed: 3))
        watched.run(60)
        watched.service.workers = []
        let alert = try #require(watched.run(until: .unresponsive, atMost: 60) as Alert?)
        #expect(alert.severity == .critical && alert.summary == "registrar: none of 2 workers serves")
        watched.service.start()
        #expect(watched.run(until: .unresponsive, .resolved, atMost: 60) != nil)
    }

    @Test func `a service that never served is not missed`() {
        let watched = Watched(SimulatedService(seed: 4, workers: 0))
        #expect(watched.run(600).isEmpty)
    }

    @Test func `memory near its budget is told, and as critical when nobody could act in time`() throws {
        var book = RuleBook(service: "registrar", settings: AlertSettings())
        var service = SimulatedService(seed: 5)
        func told(_ seconds: Double, left: TimeToLimit? = nil) -> [Alert] {
            var alerts: [Alert] = []
            for _ in 0..<Int(seconds / 2) {
                var reading = service.step()
                reading.workers[1].timeToLimit = left
                alerts += book.add(reading).alerts
            }
            return alerts.filter { $0.kind == .memory }
        }
        #expect(told(60).isEmpty)
        service.workers[1].rss = .mebibytes(240)
        let slow = try #require(told(20, left: TimeToLimit(low: 4_000, high: nil)).first)
        #expect(slow.severity == .warning)
        #expect(
            slow.summary
                == "registrar/2 holds 240.0 MiB of its 256.0 MiB (94 %); the limit is reached in 67 min or more")
        let fast = try #require(told(20, left: TimeToLimit(low: 38, high: 52)).first)
        #expect(fast.severity == .critical && fast.summary.hasSuffix("; the limit is reached in 38 to 52 s"))
        service.workers[1].rss = .mebibytes(100)
        let end = told(200)
        #expect(end.last?.status == .resolved && end.count { $0.status == .resolved } == 1)
    }

    @Test func `descriptors are told of their limit, CPU of the host's cores`() throws {
        let watched = Watched(SimulatedService(seed: 6))
        watched.service.coresUsed = 1.5
        #expect(watched.run(120).isEmpty)
        watched.service.fileDescriptors = 1_000
        let files = try #require(watched.run(until: .fileDescriptors, atMost: 60) as Alert?)
        #expect(files.summary == "registrar/1 has 1000 of at most 1024 file descriptors open (98 %)")
        #expect(files.severity == .error)
        watched.service.coresUsed = 3.9
        let cpu = try #require(watched.run(until: .cpu, atMost: 120) as Alert?)
        #expect(cpu.summary.hasPrefix("registrar uses 3.") && cpu.summary.contains(" of 4 cores"))
        watched.service.coresUsed = 1
        watched.service.fileDescriptors = 40
        watched.run(300)
        #expect(watched.book.firing.isEmpty)
    }

    @Test func `workers that die again and again are told, recycled ones are not`() throws {
        let watched = Watched(SimulatedService(seed: 7))
        watched.run(10)
        for _ in 0..<20 {
            watched.service.replace()
            watched.run(10)
        }
        #expect(watched.told.isEmpty)
        for _ in 0..<3 {
            watched.service.unaskedEnds += 1
            watched.run(4)
        }
        let alert = try #require(watched.told.first)
        #expect(alert.kind == .restarts && alert.severity == .error)
        #expect(alert.summary == "registrar: workers ended 3 times in 5 min without having been told to")
        watched.service.unaskedEnds += 8
        #expect(watched.run(4).first?.severity == .critical)
        watched.run(1_500)
        #expect(watched.book.firing.isEmpty)
    }

    @Test func `a kill for want of memory is told at once; what was counted before Oakum came is not`() throws {
        var service = SimulatedService(seed: 8)
        service.kills = 17
        let watched = Watched(service)
        #expect(watched.run(60).isEmpty)
        watched.service.kills += 1
        let alert = try #require(watched.run(2).first)
        #expect(alert.kind == .outOfMemoryKill && alert.severity == .error)
        #expect(alert.summary.hasSuffix("for want of memory once in 10 min"))
    }

    @Test func `one silent worker among others is told as missing`() throws {
        let watched = Watched(SimulatedService(seed: 9, workers: 4))
        watched.run(60)
        watched.service.workers[2].tells = false
        let alert = try #require(watched.run(until: .noData, atMost: 60) as Alert?)
        #expect(alert.severity == .warning)
        #expect(alert.summary == "registrar: not measured any more: the metrics of worker 3 (pid 1003)")
        watched.service.workers[2].tells = true
        #expect(watched.run(until: .noData, .resolved, atMost: 120) != nil)
    }

    @Test func `a pause of Oakum is no absence of anybody`() {
        let watched = Watched(SimulatedService(seed: 10))
        watched.run(60)
        for _ in 0..<50 {
            watched.service.advance(7_200)
            watched.run(4)
        }
        #expect(watched.told.isEmpty)
    }

    @Test func `what a service never told is not missed`() {
        var service = SimulatedService(seed: 11)
        for index in service.workers.indices { service.workers[index].tells = false }
        let watched = Watched(service, AlertSettings(business: [BusinessSettings(name: "sign-ups", counter: "x")]))
        #expect(watched.run(600).isEmpty)
    }

    @Test func `the host's memory, pressure and volumes are told of no service`() throws {
        var rules = HostRules(HostAlertSettings())
        var now = Moment(uptime: Uptime(seconds: 100), wall: WallTime(milliseconds: 1_700_000_000_000))
        func told(_ seconds: Int, _ change: (inout HostReading) -> Void) -> [Alert] {
            var alerts: [Alert] = []
            for _ in 0..<seconds / 2 {
                now.uptime = now.uptime + 2
                now.wall.milliseconds += 2_000
                var reading = HostReading(
                    at: now, memoryAvailable: 0.5, memoryPressure: 0.2, cpuPressure: 3, ioPressure: 1,
                    diskFree: ["/": 0.4, "/data": 0.6])
                change(&reading)
                alerts += rules.add(reading)
            }
            return alerts
        }
        #expect(told(120) { _ in }.isEmpty)
        let alerts = told(60) { reading in
            reading.memoryAvailable = 0.02
            reading.memoryPressure = 50
            reading.diskFree["/data"] = 0.05
        }
        #expect(Set(alerts.map(\.kind)) == [.memory, .pressure, .disk])
        #expect(alerts.allSatisfy { $0.service == nil })
        #expect(alerts.first { $0.kind == .disk }?.summary == "the volume of /data is 95 % full")
        #expect(alerts.first { $0.kind == .memory }?.severity == .error)
        let over = told(200) { _ in }
        #expect(over.filter { $0.status == .resolved }.count == 3)
        let gone = told(60) { $0.diskFree["/data"] = nil }
        #expect(gone.map(\.kind) == [.noData])
        #expect(gone.first?.summary == "not measured any more: the volume of /data")
    }

    @Test func `alerts from before a restart go on, and end here`() throws {
        let watched = Watched(SimulatedService(seed: 12))
        watched.run(60)
        watched.service.workers[0].answers = false
        let alert = try #require(watched.run(until: .unresponsive, atMost: 60) as Alert?)
        watched.service.workers[0].answers = true
        let again = Watched(watched.service)
        var other = alert
        other.fingerprint = "something else"
        #expect(again.book.assume([alert, other], at: watched.service.now) == [other])
        #expect(again.book.firing == [alert])
        let over = try #require(again.run(until: .unresponsive, .resolved, atMost: 120) as Alert?)
        #expect(over.since == alert.since)
    }
}
