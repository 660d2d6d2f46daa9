import CLinux
import Glibc
import LinuxHost
import OakumEngine
import OakumModel
import OakumTestKit
import Testing

/// `KeeperClient` with real keepers and real little workers.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct KeeperClientTests {
    @Test func `an order brings up workers, and stopAll takes down everything`() async throws {
        try await withClient { client, folder in
            let signals = client.signals()
            try await client.apply(StandingOrder(workers: ["web": [1, 2]]))
            let address = try #require(client.listenAddress(of: "web"))
            #expect(address.hasPrefix("127.0.0.1:") && !address.hasSuffix(":0"))

            var ready: Set<WorkerID> = []
            var iterator = signals.makeAsyncIterator()
            while ready.count < 2 {
                let signal = try #require(await iterator.next())
                if case .ready(let id, _) = signal { ready.insert(id) }
            }
            let inventory = try await client.inspect()
            #expect(inventory.order == StandingOrder(workers: ["web": [1, 2]]))
            #expect(inventory.workers.map(\.id.number) == [1, 2])
            #expect(inventory.workers.allSatisfy { $0.saidReady && !$0.stopping })
            for worker in inventory.workers {
                #expect(linux_start_ticks(worker.process.pid) == worker.process.startTicks)
                #expect(try greeting(of: worker.adminSocket) == "\(worker.process.pid)")
            }

            try await client.stopAll()
            // Dead already; init takes a moment to reap it.
            try await eventually("the keeper to be gone") { kill(inventory.keeperPID, 0) != 0 }
            #expect(inventory.workers.allSatisfy { kill($0.process.pid, 0) != 0 })
            #expect(access("\(folder.path)/keeper.sock", F_OK) != 0)
            while let signal = await iterator.next() {
                guard case .exited(_, _, let reason, let restart) = signal else { continue }
                #expect(reason == .code(0) && restart == nil)
            }
        }
    }
}

/// A client whose keeper runs in a folder of its own, and is stopped at the end whatever happens.
func withClient(
    _ services: [KeptService]? = nil, _ body: (KeeperClient, TemporaryFolder) async throws -> Void
) async throws {
    try await withTemporaryFolder { folder in
        let web = KeptService(
            name: "web", command: [try builtExecutable("fixture-worker"), "ready"], environment: [:],
            listen: "127.0.0.1:0", stopDeadline: 5)
        let client = try makeClient(folder, services ?? [web])
        do {
            try await body(client, folder)
        } catch {
            try await makeClient(folder, []).stopAll()
            throw error
        }
        try await makeClient(folder, []).stopAll()
    }
}

func makeClient(_ folder: TemporaryFolder, _ services: [KeptService]) throws -> KeeperClient {
    try KeeperClient(
        stateFolder: folder.path, keeperProgram: try builtExecutable("oakum-keeper"), services: services)
}

/// The first line a fixture worker says to whoever connects to its Unix socket.
func greeting(of socketPath: String) throws -> String {
    let descriptor = linux_connect_unix(socketPath, 0)
    guard descriptor >= 0 else { throw TestKitError("cannot connect to \(socketPath): errno \(-descriptor)") }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 256)
    let count = read(descriptor, &buffer, buffer.count)
    return String(decoding: buffer.prefix(max(0, count)).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
}
