import Glibc
import KeeperProtocol
import OakumTestKit
import Spawning
import Testing

/// The keeper's folder and command line.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct StateFolderTests {
    @Test func `a second keeper for the same folder is refused and harms nothing`() async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            try await client.apply([try keeper.service(["ready"])])
            let worker = try await client.ready()
            let (exit, output) = try await run(["--state", keeper.folder])
            #expect(exit == .code(1) && output.contains("another keeper already serves \(keeper.folder)"))
            #expect(try await client.inspect().workers.map(\.process) == [worker])
            _ = try await keeper.client()
        }
    }

    @Test func `a folder is made for the owner alone, and so are the sockets`() async throws {
        try await withKeeper { keeper in
            for (name, mode) in [
                ("logs", 0o700), ("keeper.sock", 0o600), ("notify.sock", 0o600), ("keeper.lock", 0o600),
            ] {
                var information = stat()
                #expect(stat("\(keeper.folder)/\(name)", &information) == 0)
                #expect(information.st_mode & 0o777 == mode, "\(name)")
            }
        }
    }

    @Test func `what a killed keeper left behind does not keep the next one from starting`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("deep/er")
            for _ in 0..<2 {
                try await withProcess(try builtExecutable("oakum-keeper"), ["--state", path]) { process in
                    let keeper = RunningKeeper(folder: path, process: process)
                    try await eventually("the keeper's control socket") { try keeper.isReachable() }
                    process.send(SIGKILL)
                    _ = try await process.waitForExit()
                }
            }
        }
    }

    @Test func `a folder that others may write to is refused`() async throws {
        try await withTemporaryFolder { folder in
            #expect(chmod(folder.path, 0o777) == 0)
            let (exit, output) = try await run(["--state", folder.path])
            #expect(exit == .code(1) && output.contains("chmod go-w"))
        }
    }

    @Test func `a path too long for sockets is refused with its length`() async throws {
        try await withTemporaryFolder { folder in
            let long = folder.file(String(repeating: "x", count: 90))
            let (exit, output) = try await run(["--state", long])
            #expect(exit == .code(1) && output.contains("107"))
        }
    }

    @Test func `a service name too long for its socket path is refused in the order`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file(String(repeating: "x", count: 60))
            try await withProcess(try builtExecutable("oakum-keeper"), ["--state", path]) { process in
                let keeper = RunningKeeper(folder: path, process: process)
                try await eventually("the keeper's control socket") { try keeper.isReachable() }
                let client = try await keeper.client()
                let name = String(repeating: "n", count: 40)
                let (code, text) = try await client.refusal(of: [try keeper.service(["ready"], name: name)])
                #expect(code == .invalid && text.contains("107") && text.contains("shorter service name"))
            }
        }
    }

    @Test(arguments: [[], ["--state"], ["--frobnicate", "x"], ["--state", "/tmp/x", "--ready-fd", "-1"]])
    func `wrong arguments are answered with the usage`(arguments: [String]) async throws {
        let (exit, output) = try await run(arguments)
        #expect(exit == .code(2) && output.contains("usage: oakum-keeper"))
    }

    @Test func `help is given`() async throws {
        let (exit, output) = try await run(["--help"])
        #expect(exit == .code(0) && output.contains("--state FOLDER"))
    }

    private func run(_ arguments: [String]) async throws -> (ChildProcess.Exit, String) {
        try await withProcess(try builtExecutable("oakum-keeper"), arguments) { process in
            (try await process.waitForExit(), process.output())
        }
    }
}
