import Foundation
import OakumTestKit
import Outbound
import Spawning
import Testing

@Suite(.serialized, .timeLimit(.minutes(10))) struct RegistrarDrillTests {
    static let mebibyte = 1024 * 1024

    /// How much RSS grows over that many sign-ups, after some to warm up.
    func growth(_ program: String, _ arguments: [String], signUps: Int) async throws -> Int {
        try await RunningRegistrar.with(program, arguments: RunningRegistrar.cheap + arguments) { registrar in
            for number in 0..<10 { #expect(try await registrar.signUp("warm\(number)@example.org").status == 202) }
            let before = try registrar.statusBytes("VmRSS")
            for number in 0..<signUps {
                #expect(try await registrar.signUp("user\(number)@example.org").status == 202)
            }
            return try registrar.statusBytes("VmRSS") - before
        }
    }

    @Test(.disabled(if: Sanitizer.isOn, "an instrumented process holds memory of its own"))
    func `with the fault every sign-up leaves its bytes behind, really touched`() async throws {
        let grown = try await growth(
            "registrar-drill", ["--fault", "verification-context", "--fault-bytes", "1MiB"], signUps: 40)
        #expect(grown >= 39 * Self.mebibyte, "\(grown)")
        #expect(grown <= 60 * Self.mebibyte, "\(grown)")
    }

    @Test(.disabled(if: Sanitizer.isOn, "an instrumented process holds memory of its own"))
    func `the fault leaves 64 KiB unless told otherwise`() async throws {
        let grown = try await growth("registrar-drill", ["--fault", "verification-context"], signUps: 200)
        #expect(grown >= 12 * Self.mebibyte, "\(grown)")
        #expect(grown <= 30 * Self.mebibyte, "\(grown)")
    }

    @Test(
        .disabled(if: Sanitizer.isOn, "an instrumented process holds memory of its own"),
        arguments: ["registrar", "registrar-drill"])
    func `without a fault sign-ups leave nothing`(program: String) async throws {
        let grown = try await growth(program, [], signUps: 200)
        #expect(grown <= 6 * Self.mebibyte, "\(grown)")
    }

    @Test(.disabled(if: Sanitizer.isOn, "an instrumented process holds memory of its own"))
    func `with the profile cache's fault every new parameter leaves a page, and each request looks at all of them`()
        async throws
    {
        let arguments = RunningRegistrar.cheap + ["--fault", "profile-cache", "--fault-bytes", "256KiB"]
        try await RunningRegistrar.with("registrar-drill", arguments: arguments) { registrar in
            _ = try await registrar.signUp("ada@example.org")
            let token = try #require(try await registrar.login("ada@example.org").json["token"] as? String)
            func read(_ number: Int) async throws {
                let answer = try await registrar.get("/v1/profile?t=\(number)", token: token)
                #expect(try answer.json["email"] as? String == "ada@example.org")
            }
            for number in 0..<5 { try await read(number) }
            let before = try registrar.statusBytes("VmRSS")
            for number in 0..<100 { try await read(number) }
            let grown = try registrar.statusBytes("VmRSS") - before
            #expect(grown >= 22 * Self.mebibyte && grown <= 40 * Self.mebibyte, "\(grown)")
            let metrics = try await registrar.admin("/metrics").text
            #expect(metrics.contains("profile_cache_entries 100\n"))
            // 0 + 1 + … + 4 for the first five, five times 5 for what is there, 5 + … + 99 for the others.
            #expect(metrics.contains("profile_cache_scanned_total \(10 + 25 + (5...99).reduce(0, +))\n"), "\(metrics)")
        }
    }

    @Test func `the faults are listed, and an unknown one is refused with the list`() async throws {
        let drill = try builtExecutable("registrar-drill")
        try await withProcess(drill, ["--list-faults"]) { process in
            let exit = try await process.waitForExit()
            #expect(exit == .code(0))
            let lines = process.output().split(separator: "\n")
            #expect(
                lines.map { $0.prefix { $0 != "\t" } }
                    == ["verification-context", "profile-cache", "dear-requests", "slow-database", "full-disk"])
        }
        for wrong in [
            ["--fault", "nothing"], ["--fault-bytes", "1MiB"],
            ["--fault", "verification-context", "--fault-bytes", "x"],
        ] {
            try await withProcess(drill, wrong) { process in
                let exit = try await process.waitForExit()
                #expect(exit == .code(64))
                #expect(
                    process.output().contains(
                        wrong[0] == "--fault" && wrong.count == 2 ? "verification-context" : "--fault"))
            }
        }
    }

    @Test func `the shipped registrar holds neither code nor words of the faults`() throws {
        let traces = [
            "RegistrationFaults", "verification-context", "ForgetfulVerification", "VerificationContext", "--fault",
            "HoardingProfiles", "profile_cache_scanned", "DearProfiles", "WaitingProfiles", "AuditedAccounts",
            "audit.log",
        ]
        func found(in program: String) throws -> [String] {
            let binary = try Data(
                contentsOf: URL(fileURLWithPath: try builtExecutable(program)), options: .alwaysMapped)
            return traces.filter { binary.range(of: Data($0.utf8)) != nil }
        }
        #expect(try found(in: "registrar") == [])
        // The same search finds them where they are, so it can fail.
        #expect(try Set(found(in: "registrar-drill")).isSuperset(of: ["RegistrationFaults", "verification-context"]))
    }
}
