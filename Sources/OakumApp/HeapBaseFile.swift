import CLinux
import Foundation
import Glibc
import HeapProfile
package import OakumModel
import ProcessReadings

/// Earlier moments of a heap, kept as files beside the sampler's: `PATH.base.MILLISECONDS`, the time since the boot of
/// the machine in the name, so that nobody has to open them to know which are needed.
package enum HeapBaseFile {
    private static let mark = ".base."

    static func name(of heapFile: String, at moment: Uptime) -> String {
        "\(heapFile)\(mark)\(milliseconds(moment))"
    }

    /// When those were taken that a folder holds for one heap file. Names that make no sense are passed over.
    static func moments(of heapFile: String, among names: [String]) -> [Uptime] {
        names.compactMap { name in
            guard name.hasPrefix(heapFile + mark) else { return nil }
            let digits = name.dropFirst(heapFile.count + mark.count)
            guard digits.utf8.count <= 15, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            return UInt64(digits).map { Uptime(seconds: Double($0) / 1_000) }
        }
    }

    /// Keeps the present moment of a living process's heap.
    ///
    /// - Throws: `HeapTarget.Problem` with what is in the way: the process is gone, the disk is full.
    package static func take(heapFile: String, of process: ProcessIdentity) throws(HeapTarget.Problem) {
        let target = try HeapTarget(file: heapFile)
        guard target.isAlive, target.image.process.identity == process else {
            throw HeapTarget.Problem(description: "\(heapFile): its process is gone")
        }
        let base: HeapBase
        do throws(HeapBaseError) {
            base = try HeapBase(target.image)
        } catch {
            throw HeapTarget.Problem(description: "\(heapFile): \(error)")
        }
        try write(base.encoded(), to: name(of: heapFile, at: base.observed), temporary: heapFile + ".base-new")
    }

    /// The one to compare a heap with, and what is to be said about it; nil when none was kept.
    static func read(for image: HeapImage, heapFile: String) -> (base: HeapBase?, remark: String?) {
        let url = URL(filePath: heapFile)
        let folder = url.deletingLastPathComponent().path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []  // none, or none to be seen
        let name = url.lastPathComponent
        // Of another program in the same process, before it called exec, are those from before the sampler began.
        let moments = moments(of: name, among: names).filter { $0 >= image.process.samplingSince }
        guard let moment = BaseKeeping.base(of: moments, now: image.observed) else { return (nil, nil) }
        let path = "\(folder)/\(Self.name(of: name, at: moment))"
        guard let bytes = FileBytes.read(path: path, limit: HeapBase.byteLimit + 1) else {
            return (nil, "the earlier moment of the heap cannot be read: \(path)")
        }
        do throws(HeapBaseError) {
            return (try HeapBase(parsing: bytes), nil)
        } catch {
            return (nil, "the earlier moment of the heap cannot be used: \(error) (\(path))")
        }
    }

    private static func milliseconds(_ moment: Uptime) -> UInt64 {
        UInt64(min(max(0, moment.seconds * 1_000).rounded(), 1e15 - 1))
    }

    /// For our own eyes, whole or not at all.
    private static func write(
        _ bytes: [UInt8], to path: String, temporary: String
    ) throws(HeapTarget.Problem) {
        func problem() -> HeapTarget.Problem {
            HeapTarget.Problem(description: "\(temporary): \(String(cString: linux_error_text(errno)))")
        }
        // Left by one that was cut off.
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw problem() }
        defer { close(descriptor) }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let problem = problem()
                unlink(temporary)
                throw problem
            }
            written += count
        }
        guard rename(temporary, path) == 0 else {
            let problem = problem()
            unlink(temporary)
            throw problem
        }
    }
}
