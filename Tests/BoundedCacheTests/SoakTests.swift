import OakumTestKit
import Spawning
import Testing

/// A few seconds of `make soak`, in a process of its own: the allocator's count is of all of it.
@Suite(.serialized, .timeLimit(.minutes(3)), .enabled(if: !Sanitizer.isOn, "a sanitizer brings its own allocator"))
struct `A soak of the cache` {
    @Test(arguments: [1, 2])
    func `reused keys under write pressure, loads and changes of the bound leave it bounded`(seed: Int) async throws {
        let (exit, text) = try await withProcess(
            builtExecutable("cache-soak"), ["--seconds", "5", "--seed", "\(seed)"]
        ) {
            (try await $0.waitForExit(within: .seconds(90)), $0.output())
        }
        #expect(exit == .code(0), "\(text)")
        #expect(text.contains("at rest: held ") && text.hasSuffix("bounded\n"), "\(text)")
    }

    @Test func `wrong arguments are told`() async throws {
        let (exit, text) = try await withProcess(builtExecutable("cache-soak"), ["--minutes", "ever"]) {
            (try await $0.waitForExit(within: .seconds(30)), $0.output())
        }
        #expect(exit == .code(2) && text.contains("usage: cache-soak"), "\(text)")
    }
}
