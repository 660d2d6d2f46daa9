import CLinux
import Glibc
import KeeperProtocol
import OakumTestKit
import Spawning
import Testing

/// What the keeper does when workers live and die.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct WorkerLifeTests {
    @Test func `a killed worker is replaced under its number, by a new process`() async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            try await client.apply([try keeper.service(["ready"])])
            let first = try await client.started()
            _ = try await client.ready()
            kill(first.process.pid, SIGKILL)
            let (status, restart) = try await client.exited()
            #expect(status == .signal(SIGKILL) && restart == 50)
            let second = try await client.started()
            #expect(second.key == first.key && second.process != first.process)
            _ = try await client.ready()
            #expect(try await greeting(at: second.adminSocket) == "\(second.process.pid)")
        }
    }

    @Test func `a worker that dies at once is restarted after pauses that double`() async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            try await client.apply([try keeper.service(["crash"]) { $0.backoffMaximumMilliseconds = 60_000 }])
            var pauses: [UInt32?] = []
            let start = linux_uptime_ms()
            for _ in 0..<5 {
                let (status, restart) = try await client.exited()
                #expect(status == .code(3))
                pauses.append(restart)
            }
            #expect(pauses == [50, 100, 200, 400, 800])
            #expect(linux_uptime_ms() - start >= 50 + 100 + 200 + 400)
        }
    }

    @Test func `a removed worker says it is stopping, ends, and leaves nothing behind`() async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            try await client.apply([try keeper.service(["ready"], workers: [1, 2])])
            _ = try await client.ready()
            _ = try await client.ready()
            try await client.apply([try keeper.service(["ready"], workers: [2])])
            let stopping: WorkerKey = try await client.event { event in
                if case .stopping(let key, _) = event { key } else { nil }
            }
            #expect(stopping.number == 1)
            let (status, restart) = try await client.exited()
            #expect(status == .code(0) && restart == nil)
            #expect(!keeper.exists("admin-web-1.sock") && keeper.exists("admin-web-2.sock"))
            let inventory = try await client.inspect()
            #expect(inventory.workers.map(\.key.number) == [2] && inventory.ordered.map(\.key.number) == [2])
        }
    }

    @Test func `a worker that ignores SIGTERM is killed after its deadline`() async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            try await client.apply([try keeper.service(["stubborn"]) { $0.stopDeadlineMilliseconds = 300 }])
            _ = try await client.ready()
            let start = linux_uptime_ms()
            try await client.apply([])
            let (status, restart) = try await client.exited()
            #expect(status == .signal(SIGKILL) && restart == nil)
            #expect(linux_uptime_ms() - start >= 300)
        }
    }

    @Test func `what a dead worker has started dies with it`() async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            let script = "sleep 1000 & echo child $!; exec sleep 1000"
            try await client.apply([try keeper.service([]) { $0.builds[0].command = ["sh", "-c", script] }])
            let worker = try await client.started()
            let child = try await eventually("the child's pid in the log") {
                keeper.read("logs/web-1.log")?.split(separator: "\n").first.flatMap {
                    Int32($0.dropFirst("child ".count))
                }
            }
            #expect(lives(child))
            kill(worker.process.pid, SIGKILL)
            _ = try await client.exited()
            try await eventually("the child to die") { !lives(child) }
        }
    }

    @Test func `a program that is not there is reported, and tried again`() async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            try await client.apply([try keeper.service([]) { $0.builds[0].command = ["/nowhere/server"] }])
            for _ in 0..<2 {
                let (text, restart): (String, UInt32?) = try await client.event { event in
                    if case .startFailed(_, let text, let restart) = event { (text, restart) } else { nil }
                }
                #expect(text.contains("/nowhere/server") && text.contains("No such file"))
                #expect(restart != nil)
            }
            // A later order mends it.
            try await client.apply([try keeper.service(["ready"])])
            _ = try await client.ready()
        }
    }

    @Test(arguments: [("folder", "working folder"), ("permission", "Permission denied"), ("path", "No such file")])
    func `each way of not starting has its own words`(fault: (name: String, words: String)) async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            let service = try keeper.service(["ready"]) { service in
                switch fault.name {
                case "folder": service.builds[0].folder = "/nowhere"
                case "permission": service.builds[0].command = ["/etc/passwd"]
                default: service.builds[0].command = ["no-such-program-anywhere"]
                }
            }
            try await client.apply([service])
            let text: String = try await client.event { event in
                if case .startFailed(_, let text, _) = event { text } else { nil }
            }
            #expect(text.contains(fault.words), "\(text)")
        }
    }

    @Test func `SIGTERM to the keeper stops the workers politely and leaves no socket`() async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            try await client.apply([try keeper.service(["ready"], workers: [1, 2, 3])])
            var pids: [Int32] = []
            for _ in 0..<3 { pids.append(try await client.ready().pid) }
            keeper.process.send(SIGTERM)
            let messages = try await client.remainder()
            let codes = messages.compactMap { message -> KeeperProtocol.ExitStatus? in
                if case .event(.exited(_, _, let status, nil)) = message { status } else { nil }
            }
            #expect(codes == [.code(0), .code(0), .code(0)])
            guard case .goodbye? = messages.last else {
                Issue.record("no goodbye")
                return
            }
            #expect(try await keeper.process.waitForExit() == .code(0))
            #expect(!pids.contains { lives($0) })
            #expect(!keeper.exists("keeper.sock") && !keeper.exists("notify.sock"))
        }
    }

    @Test func `stopAll stops workers and keeper, and orders are refused meanwhile`() async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            try await client.apply([try keeper.service(["stubborn"]) { $0.stopDeadlineMilliseconds = 500 }])
            _ = try await client.ready()
            try client.send(.stopAll)
            let (code, _) = try await client.refusal(of: [try keeper.service(["ready"])])
            #expect(code == .stopping)
            #expect(try await client.exited().status == .signal(SIGKILL))
            guard case .goodbye? = try await client.remainder().last else {
                Issue.record("no goodbye")
                return
            }
            #expect(try await keeper.process.waitForExit() == .code(0))
        }
    }
}
