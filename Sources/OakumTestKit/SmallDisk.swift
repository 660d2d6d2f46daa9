import Glibc

/// A file system of a few hundred kilobytes, to be filled up: in a temporary folder, or on the folder at `path`.
///
/// Mounting needs root: tests that use it carry `.enabled(if: SmallDisk.isAllowed, …)`, and `make test` lets nothing be
/// skipped as root.
package func withSmallDisk<Result>(
    kibibytes: Int, at path: String? = nil, _ body: (SmallDisk) async throws -> Result
) async throws -> Result {
    try await withTemporaryFolder { folder in
        let path = path ?? folder.path
        let options = "mode=700,size=\(kibibytes)k"
        guard mount("tmpfs", path, "tmpfs", UInt(MS_NOSUID | MS_NODEV), options) == 0 else {
            throw TestKitError("no small disk can be mounted: \(String(cString: strerror(errno)))")
        }
        defer { umount2(path, Int32(MNT_DETACH)) }
        return try await body(SmallDisk(path: path))
    }
}

/// See `withSmallDisk`.
package struct SmallDisk: Sendable {
    package static let isAllowed = geteuid() == 0

    package let path: String

    /// The path of something on the disk.
    package func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Takes all the room there is.
    package func fill() throws {
        let descriptor = open(file("filler"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw TestKitError("cannot create the filler") }
        defer { close(descriptor) }
        for size in [4096, 512, 1] {
            let chunk = [UInt8](repeating: 0x55, count: size)
            while write(descriptor, chunk, size) == size {}
        }
    }

    /// Gives it back.
    package func makeRoom() {
        unlink(file("filler"))
    }
}
