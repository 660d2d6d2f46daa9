package import KeeperProtocol

/// Why an order cannot stand.
package struct Refusal: Error, Hashable, Sendable {
    package var code: RefusalCode
    package var text: String

    package init(_ code: RefusalCode, _ text: String) {
        self.code = code
        self.text = text
    }
}

/// The bounds of an order. They keep the keeper below 1,024 open descriptors and its memory small.
package enum OrderLimits {
    package static let services = 64
    /// Over all services.
    package static let workers = 256
    /// Of one service: the current release, one on trial, one to go back to, and some whose last workers are ending.
    package static let builds = 8
    package static let releaseBytes = 64
    package static let arguments = 512
    package static let environmentEntries = 2_048
    package static let nameBytes = 48
    package static let logCapBytes: ClosedRange<UInt64> = 4_096...(64 << 20)
    package static let stopDeadlineMilliseconds: ClosedRange<UInt32> = 0...3_600_000
    package static let backoffMilliseconds: ClosedRange<UInt32> = 10...3_600_000
    package static let groups = 256
}

extension Order {
    /// Checks everything that does not depend on what the keeper has.
    ///
    /// - Throws: `RefusalCode.invalid` with a sentence that names the service and what is wrong.
    package func check() throws(Refusal) {
        guard services.count <= OrderLimits.services else {
            throw Refusal(
                .invalid, "an order may name \(OrderLimits.services) services, this one has \(services.count)")
        }
        let workers = services.reduce(0) { $0 + $1.workers.count }
        guard workers <= OrderLimits.workers else {
            throw Refusal(.invalid, "an order may have \(OrderLimits.workers) workers, this one has \(workers)")
        }
        guard Set(services.map(\.name)).count == services.count else {
            throw Refusal(.invalid, "an order must name every service once")
        }
        for service in services { try service.check() }
    }
}

extension ServiceOrder {
    func check() throws(Refusal) {
        guard Self.isName(name) else {
            throw Refusal(
                .invalid,
                "a service's name has 1 to \(OrderLimits.nameBytes) letters, digits, '-', '_' or '.', "
                    + "and begins with a letter or digit")
        }
        guard !listen.utf8.contains(0) else { throw wrong("has a zero byte in its address") }
        guard (1...OrderLimits.builds).contains(builds.count) else {
            throw wrong("has \(builds.count) builds; it may have 1 to \(OrderLimits.builds)")
        }
        let releases = Set(builds.map(\.release))
        guard releases.count == builds.count else { throw wrong("has two builds of one release") }
        for build in builds { try check(build) }
        guard workers.allSatisfy({ releases.contains($0.release) }) else {
            throw wrong("has a worker of a release without a build")
        }
        try checkBounds()
    }

    private func check(_ build: BuildOrder) throws(Refusal) {
        guard build.release.utf8.count <= OrderLimits.releaseBytes, !build.release.utf8.contains(where: { $0 < 32 })
        else {
            throw wrong("has a release whose name is longer than \(OrderLimits.releaseBytes) bytes, or no text")
        }
        guard let program = build.command.first, !program.isEmpty else { throw wrong("has no command") }
        guard build.command.count <= OrderLimits.arguments else {
            throw wrong("has more than \(OrderLimits.arguments) arguments")
        }
        guard build.environment.count <= OrderLimits.environmentEntries else {
            throw wrong("has more than \(OrderLimits.environmentEntries) environment variables")
        }
        guard !(build.command + build.environment + [build.folder]).contains(where: { $0.utf8.contains(0) }) else {
            throw wrong("has a zero byte in its command, environment or folder")
        }
        guard build.environment.allSatisfy({ $0.utf8.dropFirst().contains(UInt8(ascii: "=")) }) else {
            throw wrong("has an environment variable that is not KEY=value")
        }
        guard build.folder.isEmpty || build.folder.utf8.first == UInt8(ascii: "/") else {
            throw wrong("has a working folder that is no absolute path")
        }
    }

    private func checkBounds() throws(Refusal) {
        guard OrderLimits.stopDeadlineMilliseconds.contains(stopDeadlineMilliseconds) else {
            throw wrong("has a stop deadline of more than an hour")
        }
        guard OrderLimits.backoffMilliseconds.contains(backoffMinimumMilliseconds),
            OrderLimits.backoffMilliseconds.contains(backoffMaximumMilliseconds),
            backoffMinimumMilliseconds <= backoffMaximumMilliseconds
        else {
            throw wrong("has restart pauses outside of 10 ms to an hour, or a minimum above the maximum")
        }
        guard OrderLimits.logCapBytes.contains(logCapBytes) else {
            throw wrong("has a log size outside of 4 KiB to 64 MiB")
        }
        guard (runAs?.groups.count ?? 0) <= OrderLimits.groups else {
            throw wrong("has a user in more than \(OrderLimits.groups) groups")
        }
        guard Set(workers.map(\.number)).count == workers.count else { throw wrong("names a worker twice") }
    }

    private func wrong(_ text: String) -> Refusal {
        Refusal(.invalid, "service \(name) \(text)")
    }

    /// Names become parts of file names: nothing that could leave the folder.
    static func isName(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard (1...OrderLimits.nameBytes).contains(bytes.count), let first = bytes.first, isAlphanumeric(first) else {
            return false
        }
        let marks: [UInt8] = [UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ".")]
        return bytes.allSatisfy { isAlphanumeric($0) || marks.contains($0) }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
