import Foundation
import LinuxHost
import OakumEngine
import OakumModel
import OakumTestKit
import ProcessReadings
import Testing

/// Which program a process runs.
@Suite(.timeLimit(.minutes(10))) struct ProgramTests {
    /// A little ELF file with a note of this identity.
    private static func elf(_ identity: [UInt8], type: UInt8 = 4) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 64 + 56)
        bytes.replaceSubrange(0..<6, with: [0x7F, 0x45, 0x4C, 0x46, 2, 1])
        bytes[32] = 64
        bytes[54] = 56
        bytes[56] = 1
        bytes[64] = type
        bytes[64 + 8] = 120
        bytes[64 + 32] = UInt8(16 + identity.count)
        bytes += [4, 0, 0, 0, UInt8(identity.count), 0, 0, 0, 3, 0, 0, 0, 0x47, 0x4E, 0x55, 0] + identity
        return bytes
    }

    @Test func `the identity of a build is read from its note`() {
        #expect(BuildIdentity.text(inHead: Self.elf([0x01, 0xAB, 0xFF, 0x10])) == "01abff10")
        #expect(BuildIdentity.text(inHead: Self.elf([0x01, 0xAB, 0xFF, 0x10], type: 1)) == nil)
        #expect(BuildIdentity.text(inHead: []) == nil)
        #expect(BuildIdentity.text(inHead: Array("#!/bin/sh\n".utf8)) == nil)
    }

    @Test func `damaged files are read without harm`() async throws {
        try await forAll(seeds: 3_000) { generator in
            let bytes = generator.damaged(Self.elf(generator.bytes(generator.int(0...64))))
            if let text = BuildIdentity.text(inHead: bytes) { #expect((8...128).contains(text.utf8.count)) }
        }
    }

    private func program(_ argv: [String], in folder: TemporaryFolder) async throws -> ProgramIdentity {
        try await withProcess(argv[0], Array(argv.dropFirst())) { process in
            let identity = ProcessIdentity(pid: process.pid, startTicks: try startTicks(process.pid))
            // The program is there once it has taken the place of what started it.
            return try await eventually("the program") {
                // Within exec the arguments are not there yet for an instant.
                guard let found = ProcPrograms().program(of: identity), found.arguments != nil else { return nil }
                return found.name == argv[0].split(separator: "/").last.map(String.init)
                    || argv.dropFirst().joined().contains(found.name) ? found : nil
            }
        }
    }

    private func startTicks(_ pid: Int32) throws -> UInt64 {
        let text = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        let fields = try #require(text.split(separator: ")").last).split(separator: " ")
        return try #require(UInt64(fields[19]))
    }

    @Test func `another file in the place of a program is another program, a copy of it by date too`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("service")
            try FileManager.default.copyItem(atPath: "/bin/sleep", toPath: path)
            let first = try await program([path, "60"], in: folder)
            let again = try await program([path, "60"], in: folder)
            #expect(first == again && first.name == "service")
            let other = try await program([path, "61"], in: folder)
            #expect(other.key == first.key && other.arguments != first.arguments)
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.copyItem(atPath: "/bin/cat", toPath: path)
            let next = try await program([path, "/dev/zero"], in: folder)
            #expect(next.key != first.key && next.version != first.version)
        }
    }

    @Test func `a script is a part of the program`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("service.sh")
            try "sleep 60; true\n".write(toFile: path, atomically: true, encoding: .utf8)
            let first = try await program(["/bin/sh", path], in: folder)
            #expect(first.name == "service.sh")
            try "sleep 60; false\n".write(toFile: path, atomically: true, encoding: .utf8)
            let second = try await program(["/bin/sh", path], in: folder)
            #expect(second.key != first.key)
        }
    }

    @Test func `of a process that is gone or another's nothing is told`() {
        #expect(ProcPrograms().program(of: ProcessIdentity(pid: 4_000_000, startTicks: 1)) == nil)
        #expect(ProcPrograms().program(of: ProcessIdentity(pid: getpid(), startTicks: 1)) == nil)
    }
}
