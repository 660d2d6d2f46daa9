import Foundation
import OakumTestKit
import Outbound
import PrometheusText
import Spawning
import Testing

@Suite(.serialized, .timeLimit(.minutes(10))) struct RegistrarProcessTests {
    @Test func `an acknowledged sign-up survives SIGKILL`() async throws {
        try await withTemporaryFolder { folder in
            let database = folder.file("a.sqlite")
            try await RunningRegistrar.with(database: database, admin: folder.file("admin")) { registrar in
                #expect(try await registrar.signUp("ada@example.org").status == 202)
                registrar.process.send(SIGKILL)
                let exit = try await registrar.process.waitForExit()
                #expect(exit == .signal(SIGKILL))
            }
            try await RunningRegistrar.with(database: database, admin: folder.file("admin")) { registrar in
                let login = try await registrar.login("ada@example.org")
                #expect(login.status == 200)
            }
        }
    }

    @Test func `workers that start at once on a missing database share it`() async throws {
        try await withTemporaryFolder { folder in
            let database = folder.file("new/a.sqlite")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<4 {
                    group.addTask {
                        try await RunningRegistrar.with(database: database, admin: folder.file("admin\(number)")) {
                            registrar in
                            #expect(try await registrar.signUp("user\(number)@example.org").status == 202)
                            _ = try await eventually("the neighbour's account") { () -> Bool? in
                                let neighbour = "user\((number + 1) % 4)@example.org"
                                return try await registrar.login(neighbour).status == 200 ? true : nil
                            }
                            let token = try await registrar.login("user\(number)@example.org").json["token"] as? String
                            #expect(try await registrar.get("/v1/session", token: token).status == 200)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `too many at once are told when to come again, known or not, and health stays quick`() async throws {
        let slow = ["--hash-memory", "128MiB", "--hash-passes", "3", "--hash-slots", "1", "--hash-wait", "100ms"]
        try await RunningRegistrar.with(arguments: slow) { registrar in
            let answers = try await withThrowingTaskGroup(of: OutboundResponse.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        number % 2 == 0
                            ? try await registrar.signUp("user\(number)@example.org")
                            : try await registrar.login("user\(number)@example.org")
                    }
                }
                group.addTask { try await registrar.get("/healthz") }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let busy = answers.filter { $0.status == 503 }
            #expect(!busy.isEmpty)
            #expect(answers.contains { $0.status == 200 })
            #expect(answers.allSatisfy { [200, 202, 401, 503].contains($0.status) })
            for answer in busy {
                #expect(try answer.problem == "busy")
                #expect(try #require(answer.header("Retry-After").flatMap { Int($0) }) >= 1)
            }
            let samples = PrometheusText.parse(try await registrar.admin("/metrics").text)
            #expect(samples.value("hash_rejected_total") == Double(busy.count))
        }
    }

    @Test(.disabled(if: Sanitizer.isOn, "an instrumented process holds memory of its own"))
    func `memory stays within the declared bound under a burst, and comes back`() async throws {
        let mebibyte = 1024 * 1024
        let standard = ["--hash-slots", "2", "--hash-wait", "60s"]
        try await RunningRegistrar.with(arguments: standard) { registrar in
            #expect(try await registrar.signUp("first@example.org").status == 202)
            let before = try registrar.statusBytes("VmRSS")
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<64 {
                    group.addTask { try await registrar.signUp("user\(number)@example.org").status }
                }
                for try await status in group { #expect(status == 202) }
            }
            // Two hashes of 19 MiB, 64 connections of 64 KiB, and what a debug build's first burst of tasks needs.
            let peak = try registrar.statusBytes("VmHWM")
            #expect(peak <= before + 2 * 19 * mebibyte + 64 * 65_536 + 12 * mebibyte, "\(before) → \(peak)")
            let after = try registrar.statusBytes("VmRSS")
            #expect(after <= before + 12 * mebibyte, "\(before) → \(after)")
        }
    }

    @Test func `SIGTERM ends it politely with code 0`() async throws {
        try await RunningRegistrar.with { registrar in
            #expect(try await registrar.signUp("ada@example.org").status == 202)
            registrar.process.send(SIGTERM)
            let exit = try await registrar.process.waitForExit()
            #expect(exit == .code(0))
            #expect(registrar.process.output().contains("drained"))
        }
    }

    @Test(arguments: [
        (["--hash-memory", "19"], "--hash-memory"),
        (["--hash-memory", "19MB"], "--hash-memory"),
        (["--hash-memory", "8GiB"], "--hash-memory"),
        (["--hash-passes", "0"], "--hash-passes"),
        (["--hash-slots", "0"], "--hash-slots"),
        (["--hash-wait", "5"], "--hash-wait"),
        (["--hash-wait", "99999999999999999999s"], "--hash-wait"),
        (["--listen", "8080"], "--listen"),
        (["--listen", "127.0.0.1:99999"], "--listen"),
        (["--admin", "unix:"], "--admin"),
        (["--database", ""], "--database"),
        (["--nonsense"], "--nonsense"),
    ])
    func `a wrong option is named, with code 64, before anything is made`(arguments: [String], named: String)
        async throws
    {
        try await withTemporaryFolder { folder in
            let database = folder.file("a.sqlite")
            try await withProcess(try builtExecutable("registrar"), ["--database", database] + arguments) { process in
                let exit = try await process.waitForExit()
                #expect(exit == .code(64))
                #expect(process.output().contains(named))
                #expect(!FileManager.default.fileExists(atPath: database))
            }
        }
    }

    @Test func `what keeps it from starting is said in words`() async throws {
        try await withTemporaryFolder { folder in
            let registrar = try builtExecutable("registrar")
            try await withProcess(registrar, ["--database", folder.path, "--listen", "127.0.0.1:0"]) { process in
                let exit = try await process.waitForExit()
                #expect(exit == .code(1))
                #expect(process.output().contains("the database \(folder.path) cannot be used"))
            }
            try await RunningRegistrar.with(database: folder.file("a.sqlite"), admin: folder.file("admin")) { running in
                let taken = ["--database", folder.file("b.sqlite"), "--listen", running.address]
                try await withProcess(registrar, taken) { process in
                    let exit = try await process.waitForExit()
                    #expect(exit != .code(0))
                    #expect(process.output().contains("cannot listen on \(running.address)"))
                }
            }
        }
    }

    @Test func `help shows examples`() async throws {
        for program in ["registrar", "registrar-drill"] {
            try await withProcess(try builtExecutable(program), ["--help"]) { process in
                let exit = try await process.waitForExit()
                #expect(exit == .code(0))
                #expect(process.output().contains("Examples:"))
                #expect(process.output().contains("--hash-memory"))
            }
        }
    }
}
