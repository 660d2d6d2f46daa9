import CLinux
import Glibc
import LeakTesting
import LinuxHost
import OakumEngine
import OakumModel
import OakumTestKit
import Outbound
import Testing

/// What watches workers for as long as Oakum lives must not grow with them.
@Suite(.disabled(if: Sanitizer.isOn), .serialized, .timeLimit(.minutes(5)))
struct LeakTests {
    @Test func `a reader of logs does not grow with workers that come and go, nor with lines`() async throws {
        try await withTemporaryFolder { folder in
            let tail = LogTail(folder: folder.path)
            var newest = 0
            try await expectNoGrowth {
                newest += 1
                // Two workers go on, one is new and one has gone: with half a line that never ended.
                let numbers = max(1, newest - 2)...newest
                for number in numbers {
                    try append("a line\nhalf of another, of worker \(number)", folder.file("web-\(number).log"))
                }
                unlink(folder.file("web-\(newest - 3).log"))
                let sources = numbers.map { number in
                    LogSource(worker: WorkerID(service: "web", number: UInt32(number)), isAdopted: false)
                }
                let harvest = await tail.newLines(of: sources)
                #expect(harvest.chunks.count == numbers.count)
            }
        }
    }

    @Test func `a sampler does not grow with processes that come and go`() {
        let sampler = ProcSampler(volumes: ["/"])
        let parent = ProcessIdentity(pid: getppid(), startTicks: linux_start_ticks(getppid()))
        var round: Int32 = 0
        expectNoGrowth {
            round += 1
            let now = sampler.now().uptime
            // The parent is asked for every other time; of the others none is there.
            let nobody = ProcessIdentity(pid: .max - round, startTicks: 1)
            #expect(sampler.sample([sampler.ownProcess, nobody], at: now)[0] != nil)
            _ = sampler.sample([parent, sampler.ownProcess], at: now)
            _ = sampler.machine()
            _ = sampler.descriptors(of: sampler.ownProcess)
        }
    }

    @Test func `a probe leaves nothing behind, of workers that are gone neither`() async throws {
        try await withTemporaryFolder { folder in
            let socket = folder.file("admin.sock")
            let server = try OutboundServer(.unix(socket)) { request in
                OutboundServer.answer(request.hasPrefix("GET /metrics") ? "http_requests_total 5\n" : "ready")
            }
            let client = OutboundClient()
            defer {
                client.shutdown()
                server.stop()
            }
            let probe = AdminProbe(client: client)
            var round = 0
            // Another thread does the work.
            await expectNoGrowth(of: .process, calls: 8, warmUp: 10) {
                round += 1
                #expect(await probe.isHealthy(adminSocket: socket, path: "/readyz", timeout: 10))
                #expect(await probe.measures(adminSocket: socket, timeout: 10)?.requests == 5)
                _ = await probe.tally(adminSocket: socket + ".\(round)", counting: [], timeout: 10)
                server.forget()
            }
        }
    }

    @Test func `a client of the keeper does not grow with questions and orders, and goes away`() async throws {
        try await withFolder { folder in
            let client = try makeClient(folder)
            let order = StandingOrder(workers: ["web": [1: .configured]])
            // Its thread does the work.
            try await expectNoGrowth(of: .process, calls: 30, warmUp: 30) {
                let signals = client.signals()
                try await client.apply(order)
                #expect(try await client.inspect().order == order)
                withExtendedLifetime(signals) {}
            }
            try await expectDeallocated {
                let client = try makeClient(folder)
                _ = try await client.inspect()
                client.close()
                return client
            }
        }
    }

    private func append(_ text: String, _ path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw TestKitError("cannot open \(path)") }
        defer { close(descriptor) }
        guard write(descriptor, text, text.utf8.count) == text.utf8.count else {
            throw TestKitError("cannot write \(path)")
        }
    }
}
