import Glibc
import OakumTestKit

/// A file system of a few hundred kilobytes inside a temporary folder, to be filled up.
///
/// Mounting needs root. Where it is not allowed, `body` is not called and false comes back: the caller then shows the
/// same on an injected disk, which every machine runs.
func withSmallDisk(kibibytes: Int, _ body: (SmallDisk) async throws -> Void) async throws -> Bool {
    try await withTemporaryFolder { folder in
        guard mount("tmpfs", folder.path, "tmpfs", UInt(MS_NOSUID | MS_NODEV), "size=\(kibibytes)k") == 0 else {
            return false
        }
        defer { umount2(folder.path, Int32(MNT_DETACH)) }
        try await body(SmallDisk(path: folder.path))
        return true
    }
}

struct SmallDisk {
    let path: String

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Takes all the room there is.
    func fill() throws {
        let descriptor = open(file("filler"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw TestKitError("cannot create the filler") }
        defer { close(descriptor) }
        for size in [4096, 512, 1] {
            let chunk = [UInt8](repeating: 0x55, count: size)
            while write(descriptor, chunk, size) == size {}
        }
    }

    /// Gives it back.
    func makeRoom() {
        unlink(file("filler"))
    }
}
