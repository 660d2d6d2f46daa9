import KeeperCore
import KeeperProtocol
import Testing

struct OrderCheckTests {
    @Test func `an ordinary order passes`() throws {
        try Order(generation: 1, services: [.web([1, 2]), .named("api-2.internal_x")]).check()
    }

    @Test(arguments: ["", ".", "..", "../x", "a/b", "-a", ".a", "a b", "ä", "a\0", String(repeating: "a", count: 49)])
    func `names that could leave the folder are refused`(name: String) {
        expectRefusal("name") { $0.name = name }
    }

    @Test func `every bound has its own words`() {
        expectRefusal("no command") { $0.builds[0].command = [] }
        expectRefusal("no command") { $0.builds[0].command = [""] }
        expectRefusal("arguments") { $0.builds[0].command = Array(repeating: "x", count: OrderLimits.arguments + 1) }
        expectRefusal("environment variables") {
            $0.builds[0].environment = Array(repeating: "a=b", count: OrderLimits.environmentEntries + 1)
        }
        expectRefusal("KEY=value") { $0.builds[0].environment = ["novalue"] }
        expectRefusal("KEY=value") { $0.builds[0].environment = ["=x"] }
        expectRefusal("zero byte") { $0.builds[0].environment = ["a=b\0c"] }
        expectRefusal("zero byte") { $0.builds[0].command = ["/bin/true", "\0"] }
        expectRefusal("absolute") { $0.builds[0].folder = "relative" }
        expectRefusal("stop deadline") { $0.stopDeadlineMilliseconds = .max }
        expectRefusal("pauses") { $0.backoffMinimumMilliseconds = 0 }
        expectRefusal("pauses") { $0.backoffMinimumMilliseconds = $0.backoffMaximumMilliseconds + 1 }
        expectRefusal("log size") { $0.logCapBytes = 0 }
        expectRefusal("log size") { $0.logCapBytes = .max }
        expectRefusal("groups") { $0.runAs = RunAs(uid: 1, gid: 1, groups: Array(repeating: 1, count: 257)) }
        expectRefusal("twice") { $0.workers = [WorkerOrder(number: 4), WorkerOrder(number: 4)] }
        expectRefusal("0 builds") { $0.builds = [] }
        expectRefusal("9 builds") { order in
            order.builds = (0...OrderLimits.builds).map { BuildOrder(release: "\($0)", command: ["/bin/true"]) }
        }
        expectRefusal("two builds of one release") { $0.builds.append($0.builds[0]) }
        expectRefusal("without a build") { $0.workers = [WorkerOrder(number: 1, release: "r2")] }
        expectRefusal("longer than") { $0.builds[0].release = String(repeating: "r", count: 65) }
    }

    @Test func `too many workers, too many services, and a service named twice are refused`() {
        let numbers = (0...UInt32(OrderLimits.workers)).map { $0 }
        #expect(throws: Refusal.self) { try Order(generation: 1, services: [.web(numbers)]).check() }
        let services = (0...OrderLimits.services).map { ServiceOrder.named("s\($0)") }
        #expect(throws: Refusal.self) { try Order(generation: 1, services: services).check() }
        #expect(throws: Refusal.self) { try Order(generation: 1, services: [.web([]), .web([])]).check() }
    }

    private func expectRefusal(
        _ words: String, sourceLocation: SourceLocation = #_sourceLocation, _ change: (inout ServiceOrder) -> Void
    ) {
        var service = ServiceOrder.web([1])
        change(&service)
        let refusal = #expect(throws: Refusal.self, sourceLocation: sourceLocation) {
            try Order(generation: 1, services: [service]).check()
        }
        #expect(refusal?.code == .invalid, sourceLocation: sourceLocation)
        #expect(refusal?.text.contains(words) == true, "\(refusal?.text ?? "")", sourceLocation: sourceLocation)
    }
}

extension ServiceOrder {
    static func web(_ workers: [UInt32], listen: String = "127.0.0.1:80") -> ServiceOrder {
        ServiceOrder(
            name: "web", listen: listen, command: ["/bin/true"], environment: ["A=b"], stopDeadlineMilliseconds: 500,
            backoffMinimumMilliseconds: 100, backoffMaximumMilliseconds: 1_000, workers: workers)
    }

    static func named(_ name: String) -> ServiceOrder {
        ServiceOrder(name: name, listen: "", command: ["/bin/true"], workers: [])
    }
}
