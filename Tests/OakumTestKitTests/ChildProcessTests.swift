import Glibc
import OakumTestKit
import Spawning
import Testing

@Suite(.timeLimit(.minutes(10)))
struct ChildProcessTests {
    @Test func `output, environment and exit code of a child are seen`() async throws {
        let environment = ["OAKUM_TEST_WORD": "tar"]
        try await withProcess("/bin/sh", ["-c", "echo $OAKUM_TEST_WORD >&2; exit 3"], environment: environment) {
            child in
            let line = try await child.line(containing: "tar")
            let exit = try await child.waitForExit()
            #expect(line == "tar")
            #expect(exit == .code(3))
        }
    }

    @Test func `a child that ends without the awaited line is reported with what it wrote`() async throws {
        try await withProcess("/bin/sh", ["-c", "echo alas"]) { child in
            let error = await #expect(throws: TestKitError.self) {
                try await child.line(containing: "hurrah", within: .milliseconds(200))
            }
            #expect(error?.description.contains("alas") == true)
        }
    }

    @Test func `the whole group dies with the scope`() async throws {
        let grandchild = try await withProcess("/bin/sh", ["-c", "sleep 600 & echo pid $!; wait"]) { child in
            let line = try await child.line(containing: "pid")
            return try #require(pid_t(line.dropFirst(4)))
        }
        try await eventually("the grandchild to die") { isGoneOrZombie(grandchild) }
    }

    @Test func `a signal is told from a code`() async throws {
        try await withProcess("/bin/sleep", ["600"]) { child in
            child.send(SIGTERM)
            let exit = try await child.waitForExit()
            #expect(exit == .signal(SIGTERM))
        }
    }

    @Test func `a program that does not exist is named`() async {
        let error = await #expect(throws: TestKitError.self) { try await withProcess("/no/such/thing") { _ in } }
        #expect(error?.description.contains("/no/such/thing") == true)
    }

    /// An orphan without an init process to collect it stays a zombie for ever.
    private func isGoneOrZombie(_ pid: pid_t) -> Bool {
        guard let file = fopen("/proc/\(pid)/stat", "r") else { return true }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 256)
        let count = fread(&buffer, 1, buffer.count, file)
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self).contains(") Z ")
    }
}
