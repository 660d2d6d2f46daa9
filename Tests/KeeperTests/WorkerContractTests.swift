import CLinux
import Glibc
import KeeperProtocol
import OakumTestKit
import Spawning
import Testing

/// What a worker finds when it starts, and what it may tell.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct WorkerContractTests {
    @Test func `a worker starts with its sockets, its environment and nothing else`() async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            try await client.apply([try keeper.service(["tell"], workers: [7]) { $0.builds[0].folder = "/usr" }])
            let pid = try await client.ready().pid
            let told = Set((keeper.read("logs/web-7.log") ?? "").split(separator: "\n").map(String.init))
            let variables = told.filter { $0.hasPrefix("environment ") }.map { String($0.dropFirst(12)) }
            #expect(
                Set(variables) == [
                    "PATH=/usr/bin:/bin", "COLOUR=blue", "LISTEN_FDS=2", "LISTEN_FDNAMES=http:admin",
                    "LISTEN_PID=\(pid)", "NOTIFY_SOCKET=\(keeper.folder)/notify.sock", "OAKUM_WORKER=7",
                    "OAKUM_SERVICE=web",
                ])
            let descriptors = told.filter { $0.hasPrefix("descriptor ") }
            #expect(descriptors == Set((0...4).map { "descriptor \($0)" }))
            #expect(told.contains("pid \(pid) session \(pid) group \(pid)"))
            // The keeper was started with the mask of this process.
            let status = try String(contentsOfProc: "/proc/self/status").split(separator: "\n")
            let mask = try #require(status.first { $0.hasPrefix("Umask:") }).drop { !("1"..."7").contains($0) }
            #expect(told.contains("blocked []") && told.contains("umask \(mask)"))
            #expect(try String(contentsOfProc: "/proc/\(pid)/cmdline").hasSuffix("fixture-worker\0tell\0"))
        }
    }

    @Test func `workers share the service's socket and have an admin socket each`() async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            let listeners = try await client.apply([try keeper.service(["ready"], workers: [1, 2])])
            let address = try #require(listeners.first?.resolved)
            let pids = [try await client.ready().pid, try await client.ready().pid].map { "\($0)" }
            #expect(pids.contains(try await greeting(at: address)))
            for worker in try await client.inspect().workers {
                #expect(try await greeting(at: worker.adminSocket) == "\(worker.process.pid)")
            }
        }
    }

    @Test func `a connection made while no worker lives waits for the next one`() async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            let service = try keeper.service(["ready"]) {
                $0.backoffMinimumMilliseconds = 400
            }
            let address = try #require(try await client.apply([service]).first?.resolved)
            let first = try await client.ready()
            kill(first.pid, SIGKILL)
            _ = try await client.exited()
            let answered = try await greeting(at: address)
            #expect(answered == "\(try await client.ready().pid)")
        }
    }

    @Test func `a service without an address gets its admin socket alone`() async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            let listeners = try await client.apply([try keeper.service(["tell"]) { $0.listen = "" }])
            #expect(listeners.isEmpty)
            _ = try await client.ready()
            let told = keeper.read("logs/web-1.log") ?? ""
            #expect(told.contains("LISTEN_FDS=1") && told.contains("LISTEN_FDNAMES=admin"))
        }
    }

    @Test func `a process that the worker started may speak for it, a stranger may not`() async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            let notifier = "\(try builtExecutable("fixture-worker")) notify"
            let script = "\(notifier) STATUS=hello; read line < \"$GATE\"; \(notifier) READY=1; exec sleep 1000"
            let gate = "\(keeper.folder)/gate"
            #expect(mkfifo(gate, 0o600) == 0)
            try await client.apply([
                try keeper.service([]) {
                    $0.builds[0].command = ["sh", "-c", script]
                    $0.builds[0].environment.append("GATE=\(gate)")
                }
            ])
            let worker = try await client.started()
            for text in ["READY=1", "READY=1\nMAINPID=\(worker.process.pid)"] { try notify(keeper, Array(text.utf8)) }
            try await eventually("the strangers' notices to be dropped") {
                keeper.ownLog().contains("dropped a notice from process \(getpid())")
            }
            #expect(try await client.inspect().workers.first?.saidReady == false)

            let opened = open(gate, O_WRONLY | O_CLOEXEC)
            #expect(write(opened, "go\n", 3) == 3)
            close(opened)
            #expect(try await client.ready() == worker.process)
        }
    }

    @Test func `garbage on the notify socket changes nothing`() async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            try await client.apply([try keeper.service(["silent"])])
            let worker = try await client.started()
            var random = SeededGenerator(seed: 1)
            for _ in 0..<500 {
                let bytes = random.chance(0.1) ? random.bytes(20_000) : random.bytes(random.int(0...300))
                try notify(keeper, bytes)
            }
            let inventory = try await client.inspect()
            #expect(inventory.workers.map(\.process) == [worker.process])
            #expect(inventory.workers.first?.saidReady == false)
            #expect(keeper.process.exitNow() == nil)
        }
    }

    @Test(.enabled(if: geteuid() == 0, "needs root")) func `a worker may run as another user`() async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            try await client.apply([
                try keeper.service(["tell"]) {
                    $0.builds[0].command = ["/bin/sh", "-c", "id; exit 0"]
                    $0.runAs = RunAs(uid: 65_534, gid: 65_534, groups: [65_534])
                }
            ])
            #expect(try await client.exited().status == .code(0))
            #expect(keeper.read("logs/web-1.log")?.contains("uid=65534") == true)
            var information = stat()
            #expect(stat("\(keeper.folder)/notify.sock", &information) == 0)
            #expect(information.st_mode & 0o777 == 0o666)
            #expect(stat("\(keeper.folder)/keeper.sock", &information) == 0)
            #expect(information.st_mode & 0o777 == 0o600)
        }
    }

    @Test func `a log stays within its cap and goes on, with the part before kept beside it`() async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            let cap: UInt64 = 16 << 10
            let script =
                "i=0; while [ $i -lt 3000 ]; do echo line $i of the worker; i=$((i+1)); done; "
                + "while :; do echo more; sleep 0.1; done"
            try await client.apply([
                try keeper.service([]) {
                    $0.builds[0].command = ["sh", "-c", script]
                    $0.logCapBytes = cap
                }
            ])
            try await eventually("the log to be rolled") { keeper.exists("logs/web-1.log.1") }
            let previous = try #require(keeper.read("logs/web-1.log.1"))
            #expect(previous.utf8.count <= Int(cap) * 2 && previous.contains("of the worker"))
            try await eventually("the worker to write on") {
                let current = keeper.read("logs/web-1.log") ?? ""
                return current.contains("more") && current.utf8.count <= Int(cap)
            }
        }
    }

    @Test func `a log that cannot be opened does not keep a worker from serving`() async throws {
        try await withKeeper { keeper in
            #expect(mkdir("\(keeper.folder)/logs/web-1.log", 0o700) == 0)
            let client = try await keeper.client()
            try await client.apply([try keeper.service(["ready"])])
            _ = try await client.ready()
            #expect(keeper.ownLog().contains("writes to nowhere"))
        }
    }
}

private func notify(_ keeper: RunningKeeper, _ bytes: [UInt8]) throws {
    let result = linux_send_notice("\(keeper.folder)/notify.sock", bytes, bytes.count)
    guard result == 0 else { throw TestKitError("cannot send a notice: \(result)") }
}
