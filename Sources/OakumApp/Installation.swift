import Foundation

/// Where the other parts of this installation lie.
package struct Installation: Hashable, Sendable {
    /// The folder of the running executable, links resolved.
    package var programs: String

    package init() {
        let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        programs = own.deletingLastPathComponent().path
    }

    /// - Throws: `StartProblem` when it is not beside `oakum`.
    package func keeper() throws(StartProblem) -> String {
        let path = programs + "/oakum-keeper"
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw StartProblem("oakum-keeper is missing: it must lie beside oakum, in \(programs) (`make build`)")
        }
        return path
    }

    /// The library that is preloaded into workers whose heaps are sampled.
    /// - Throws: `StartProblem` when it is not beside `oakum`.
    package func sampler() throws(StartProblem) -> String {
        let path = programs + "/liboakumheap.so"
        guard FileManager.default.fileExists(atPath: path) else {
            throw StartProblem("liboakumheap.so is missing: it must lie beside oakum, in \(programs) (`make build`)")
        }
        return path
    }

    /// `share/oakum/www`, looked for beside the programs and above: `.build/release` and `/usr/bin` both find theirs.
    /// `OAKUM_SHARE` names another `share/oakum`.
    package func consoleAssets() throws(StartProblem) -> String {
        if let share = ProcessInfo.processInfo.environment["OAKUM_SHARE"] { return share + "/www" }
        var folder = URL(filePath: programs)
        for _ in 0..<6 {
            let candidate = folder.appending(path: "share/oakum/www").path
            if FileManager.default.fileExists(atPath: candidate) { return candidate }
            folder.deleteLastPathComponent()
        }
        throw StartProblem("share/oakum/www is missing: it must lie in or above \(programs); OAKUM_SHARE can name it")
    }
}
