import CLinux
import Foundation
package import HeapInspection
package import HeapProfile
import OakumModel
import ProcessReadings

/// A heap that can be looked at: a living process with the sampler loaded, or the file that one left.
package struct HeapTarget: Sendable {
    package var image: HeapImage
    package var isAlive: Bool
    /// Of the heap file.
    package var path: String
    /// Where unstripped copies of programs and libraries, or their separate debug files, lie: where symbols are looked for first.
    /// By default those of the environment's `OAKUM_SYMBOLS`, with colons between them.
    package var symbolFolders = HeapTarget.standardSymbolFolders

    /// Why there is nothing to look at, and what to do.
    package struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
        package var description: String

        package init(description: String) {
            self.description = description
        }
    }

    /// What a file tells; its process may live or not.
    package init(file path: String) throws(Problem) {
        var image = try Self.read(path, isAlive: false)
        isAlive = Self.lives(image.process.identity)
        if isAlive { image = try Self.read(path, isAlive: true) }
        self.image = image
        self.path = path
    }

    /// What a running process tells, by the heap file that its environment names.
    package init(pid: Int32) throws(Problem) {
        path = try Self.heapFile(of: pid)
        // The process may see another root than we do.
        let inside = "/proc/\(pid)/root\(path)"
        let readable = FileManager.default.fileExists(atPath: inside) ? inside : path
        image = try Self.read(readable, isAlive: true)
        isAlive = Self.lives(image.process.identity)
        guard isAlive else {
            throw Problem(description: "\(path) was written by an earlier process \(pid): the present one has none")
        }
    }

    /// The path of a process's heap file, as the process sees it; it may not be there.
    static func heapFile(of pid: Int32) throws(Problem) -> String {
        guard FileManager.default.fileExists(atPath: "/proc/\(pid)") else {
            throw Problem(description: "there is no process \(pid)")
        }
        let environment = FileBytes.read(path: "/proc/\(pid)/environ", limit: 1 << 20)
        guard let environment else {
            throw Problem(
                description: "the environment of process \(pid) cannot be read: look as its user, or as root")
        }
        let prefix = "OAKUM_HEAP_FILE="
        let entry = environment.split(separator: 0).lazy.map { String(decoding: $0, as: UTF8.self) }
            .first { $0.hasPrefix(prefix) }
        guard let pattern = entry?.dropFirst(prefix.count), !pattern.isEmpty else {
            throw Problem(
                description: """
                    process \(pid) runs without the sampler. Start it with
                      LD_PRELOAD=…/liboakumheap.so OAKUM_HEAP_FILE=/tmp/%p.heap PROGRAM
                    or set `heap: {sampler: true}` for its service in oakum.yaml
                    """)
        }
        return String(pattern).replacing("%p", with: "\(pid)")
    }

    /// Types and chains that were kept when the process lived.
    package var snapshot: TypeSnapshot? {
        guard let bytes = FileBytes.read(path: Self.snapshotPath(path), limit: 256 << 20) else { return nil }
        // Damaged: as if there were none. The profile comes without types.
        return try? JSONDecoder().decode(TypeSnapshot.self, from: Data(bytes))
    }

    /// Names, types and chains of what lives. Takes up to ten seconds, and a core.
    package func capture(limits: HeapCapture.Limits = .init()) -> HeapCapture {
        HeapCapture.capture(
            image, isAlive: isAlive, earlier: snapshot, heapFile: path, debugFolders: symbolFolders, limits: limits)
    }

    /// Keeps types and chains beside the heap file, for when the process is dead.
    func keep(_ snapshot: TypeSnapshot) throws {
        let data = try JSONEncoder().encode(snapshot)
        try data.write(to: URL(filePath: Self.snapshotPath(path)), options: .atomic)
    }

    static let symbolsVariable = "OAKUM_SYMBOLS"

    private static var standardSymbolFolders: [String] {
        let value = ProcessInfo.processInfo.environment[symbolsVariable] ?? ""
        return value.split(separator: ":").map(String.init)
    }

    static func snapshotPath(_ path: String) -> String { path + ".types" }

    private static func read(_ path: String, isAlive: Bool) throws(Problem) -> HeapImage {
        do {
            return try HeapFile.read(path, isAlive: isAlive)
        } catch {
            throw Problem(description: "\(error)")
        }
    }

    private static func lives(_ process: ProcessIdentity) -> Bool {
        linux_start_ticks(process.pid) == process.startTicks
    }
}
