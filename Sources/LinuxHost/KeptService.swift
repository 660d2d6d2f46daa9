import CLinux
import Glibc
import KeeperProtocol
import OakumEngine
package import OakumModel

/// How a service's workers are run: what `oakum` tells the keeper about it.
package struct KeptService: Sendable {
    package var name: String
    /// Program and arguments; a program without a slash is looked for along the PATH of `environment`.
    package var command: [String]
    /// The whole environment of the workers. Nothing else is inherited, so PATH and HOME belong in it.
    package var environment: [String: String]
    /// Absolute path of the working folder; nil: `/`.
    package var folder: String?
    /// Numeric "HOST:PORT" of the shared socket; port 0: the kernel chooses. Nil: the workers get an admin socket only.
    package var listen: String?
    /// A user's name; nil: the user `oakum` runs as. Another one needs root.
    package var user: String?
    /// Seconds from SIGTERM to SIGKILL, at most 3,600.
    package var stopDeadline: Double
    /// Seconds before the first restart of a worker that died; doubles up to the maximum. 0.01 to 3,600.
    package var backoffMinimum: Double
    package var backoffMaximum: Double
    /// Where its releases lie, each in a folder of its name: absolute. `{{release}}` in the release's command, the environment and
    /// the folder stands for the folder of the release that a worker runs.
    package var releases: String?
    /// Program and arguments of a release; nil: `command`, which is what runs until something is deployed.
    package var releaseCommand: [String]?
    /// Size of one worker's log file, 4 KiB to 64 MiB; as much again is kept of what was before.
    package var logCap: ByteCount

    package init(
        name: String, command: [String], environment: [String: String], folder: String? = nil, listen: String? = nil,
        user: String? = nil, stopDeadline: Double = 20, backoffMinimum: Double = 0.2, backoffMaximum: Double = 30,
        releases: String? = nil, releaseCommand: [String]? = nil, logCap: ByteCount = .mebibytes(8)
    ) {
        self.releases = releases
        self.releaseCommand = releaseCommand
        self.name = name
        self.command = command
        self.environment = environment
        self.folder = folder
        self.listen = listen
        self.user = user
        self.stopDeadline = stopDeadline
        self.backoffMinimum = backoffMinimum
        self.backoffMaximum = backoffMaximum
        self.logCap = logCap
    }
}

extension KeptService {
    /// What workers of a release are started from.
    func build(_ release: ReleaseID) -> BuildOrder {
        let folder = releases.map { "\($0)/\(release.isConfigured ? "current" : release.text)" }
        func filled(_ text: String) -> String {
            folder.map { text.replacing("{{release}}", with: $0) } ?? text
        }
        let words = release.isConfigured ? command : releaseCommand ?? command
        return BuildOrder(
            release: release.text, command: words.map(filled),
            environment: environment.map { "\($0.key)=\(filled($0.value))" }.sorted(),
            folder: filled(self.folder ?? ""))
    }

    /// The keeper's form of it, without builds and workers. Asks the system about the user, so it may take a while.
    ///
    /// - Throws: `refused` when the user is unknown or may not be changed to.
    func serviceOrder() throws(WorkerControlError) -> ServiceOrder {
        ServiceOrder(
            name: name, listen: listen ?? "", builds: [], runAs: try runAs(),
            stopDeadlineMilliseconds: Self.milliseconds(stopDeadline),
            backoffMinimumMilliseconds: Self.milliseconds(backoffMinimum),
            backoffMaximumMilliseconds: Self.milliseconds(backoffMaximum),
            logCapBytes: UInt64(max(0, logCap.bytes)), workers: [])
    }

    /// Clamped to what a field holds; the keeper checks the bounds and says what is wrong.
    private static func milliseconds(_ seconds: Double) -> UInt32 {
        guard seconds > 0 else { return 0 }
        return UInt32(min(seconds * 1_000, Double(UInt32.max)).rounded())
    }

    private func runAs() throws(WorkerControlError) -> RunAs? {
        guard let user else { return nil }
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var storage = [CChar](repeating: 0, count: 16_384)
        let error = getpwnam_r(user, &entry, &storage, storage.count, &found)
        guard error == 0, found != nil else {
            throw .refused(
                "service \(name) is to run as \(user), which this machine does not know"
                    + (error == 0 ? "" : ": \(String(cString: linux_error_text(error)))"))
        }
        let (uid, gid) = (entry.pw_uid, entry.pw_gid)
        guard uid != geteuid() else { return nil }
        guard geteuid() == 0 else {
            throw .refused("service \(name) is to run as \(user): that needs root; start oakum as root or as \(user)")
        }
        var groups = [gid_t](repeating: 0, count: 256)
        var count = Int32(groups.count)
        guard getgrouplist(user, gid, &groups, &count) >= 0 else {
            throw .refused("service \(name) is to run as \(user), who is in more than 256 groups")
        }
        return RunAs(uid: uid, gid: gid, groups: Array(groups.prefix(Int(count))))
    }
}
