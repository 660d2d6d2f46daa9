import OakumModel

/// When each job was heard last, so that a restart of Oakum puts off no alert: a file of mode 0600 in the state folder.
///
/// One line a job: boot, uptime and wall clock in milliseconds, and the digest of its alert's fingerprint. Within one boot the
/// uptime counts, which nobody sets.
package struct HeartbeatFile: Sendable {
    private let path: String
    private let bootID: String
    /// Seconds: twice what a job may have. Whatever lies further back is as good as that.
    private static let longest = 62.0 * 86_400

    /// - Parameter bootID: of the machine, without blanks.
    package init(path: String, bootID: String) {
        self.path = path
        self.bootID = bootID
    }

    /// By digest, on this boot's clock. A line that cannot be read names no job.
    func load(at now: Moment) throws(PrivateFile.Failure) -> [String: Uptime] {
        guard let bytes = try PrivateFile.read(path) else { return [:] }
        var heard: [String: Uptime] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: " ").map { String($0) }
            guard fields.count == 4, let uptime = Int64(fields[1]), let wall = Int64(fields[2]) else { continue }
            let silence =
                fields[0] == bootID
                ? now.uptime.seconds - Double(uptime) / 1_000
                : (Double(now.wall.milliseconds) - Double(wall)) / 1_000
            // A clock that was set back does not say how long ago it is.
            let bounded = min(max(0, silence), Self.longest)
            heard[fields[3]] = Uptime(seconds: now.uptime.seconds - bounded)
        }
        return heard
    }

    /// Returns when it is on the disk.
    func store(_ heard: [String: Uptime], at now: Moment) throws(PrivateFile.Failure) {
        var text = ""
        for (key, last) in heard.sorted(by: { $0.key < $1.key }) {
            let silence = Int64((max(0, now.uptime - last) * 1_000).rounded())
            let uptime = Int64((last.seconds * 1_000).rounded())
            text += "\(bootID) \(uptime) \(now.wall.milliseconds - silence) \(key)\n"
        }
        try PrivateFile.replace(path, with: Array(text.utf8))
    }
}
