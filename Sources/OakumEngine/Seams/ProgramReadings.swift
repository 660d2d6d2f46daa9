package import OakumModel

/// Tells which program a process runs, so that a release is noticed when another one takes its place.
package protocol ProgramReadings: Sendable {
    /// Nil when the process is gone or may not be looked at. Costs a few small reads.
    func program(of process: ProcessIdentity) -> ProgramIdentity?
}

/// Which program a process runs, and from which file.
package struct ProgramIdentity: Hashable, Sendable {
    /// The file's name, without its folder.
    package var name: String
    /// For people: "build 3f2a9c1e" where the file says it, otherwise "the file of 2026-11-21 21:33:05 UTC".
    package var version: String
    /// Equal for the same file: build identity, or inode, size and time of change.
    package var key: String
    /// A hash of its arguments that means something within this process of ours alone: they may hold secrets, so not even
    /// a hash is stored. Nil when they are not known.
    package var arguments: Int?

    package init(name: String, version: String, key: String, arguments: Int? = nil) {
        self.name = name
        self.version = version
        self.key = key
        self.arguments = arguments
    }

    /// Nil when it is the same program with the same arguments, as far as both are known.
    func change(to other: ProgramIdentity) -> String? {
        if key != other.key { return "\(other.version), before \(version)" }
        guard let arguments, let others = other.arguments, arguments != others else { return nil }
        return "other arguments, of the same \(version)"
    }
}
