/// Where the releases of one service lie, and what is run around them. `{{release}}` in the hook stands for a release's folder.
package struct ReleaseSite: Hashable, Sendable {
    /// Absolute. Holds a folder for each release, `current`, and the ledger.
    package var folder: String
    /// Path of a minisign public key: artefacts must be signed with it. Nil: signatures are not looked at.
    package var publicKey: String?
    /// Runs to its end before anything of a release starts; empty: nothing. May run again after a crash of `oakum`, so it has to
    /// bear that.
    package var hook: [String]
    package var hookSeconds: Double
    /// The whole environment of the hook.
    package var environment: [String: String]
    package var tests: [ReleaseTest]

    package init(
        folder: String, publicKey: String? = nil, hook: [String] = [], hookSeconds: Double = 600,
        environment: [String: String] = [:], tests: [ReleaseTest] = []
    ) {
        self.folder = folder
        self.publicKey = publicKey
        self.hook = hook
        self.hookSeconds = hookSeconds
        self.environment = environment
        self.tests = tests
    }
}

/// A request to a worker's admin socket, and what is a good answer.
package struct ReleaseTest: Hashable, Sendable {
    package var method: String
    package var path: String
    package var expected: Set<Int>
    package var seconds: Double

    package init(method: String = "GET", path: String, expected: Set<Int> = [200], seconds: Double = 5) {
        self.method = method
        self.path = path
        self.expected = expected
        self.seconds = seconds
    }
}
