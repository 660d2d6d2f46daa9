package import RegistrationCore

/// A fault that can be switched on in a drill, as it was in a real incident. Never part of the shipped service.
package enum Fault: String, CaseIterable, Sendable {
    case verificationContext = "verification-context"
    case profileCache = "profile-cache"
    case dearRequests = "dear-requests"
    case slowDatabase = "slow-database"
    case fullDisk = "full-disk"

    /// One line for a list of faults.
    package var summary: String {
        switch self {
        case .verificationContext:
            "every sign-up leaves a verification context in a store that is never cleaned (--fault-bytes each)"
        case .profileCache:
            "profiles are kept by the whole request, query included, and each request looks through all of them "
                + "(--fault-bytes each)"
        case .dearRequests: "every profile takes --fault-time of processor time: no leak, a twin of one"
        case .slowDatabase:
            "from --fault-after on every profile waits --fault-time for a database: no leak, a twin of one"
        case .fullDisk:
            "every sign-up writes a record of --fault-bytes to audit.log in the working folder, until its volume is full: no "
                + "leak, a twin of one"
        }
    }

    /// What this fault uses when the command line does not say.
    package var standardBytes: Int {
        switch self {
        case .verificationContext: 64 * 1024
        case .profileCache: 6 * 1024
        case .dearRequests, .slowDatabase: 0
        case .fullDisk: 8 * 1024
        }
    }

    /// How long this fault takes each time when the command line does not say.
    package var standardTime: Duration {
        switch self {
        case .slowDatabase: .milliseconds(400)
        case .dearRequests: .milliseconds(6)
        case .verificationContext, .profileCache, .fullDisk: .zero
        }
    }

    /// The service with the fault in it. `bytes` is what each sign-up, or each profile, leaves behind; `time` is what each
    /// takes longer, from `after` the start of the process on.
    package func installed(
        in parts: RegistrationParts, bytes: Int, time: Duration = .zero, after: Duration = .zero
    ) -> RegistrationParts {
        var parts = parts
        switch self {
        case .verificationContext:
            parts.accounts = ForgetfulVerification(store: parts.accounts, bytesPerContext: bytes)
        case .profileCache:
            parts.profiles = HoardingProfiles(source: parts.profiles, bytesPerPage: bytes)
            parts.metrics.append { ProfileCache.shared.metrics() }
        case .dearRequests: parts.profiles = DearProfiles(source: parts.profiles, time: time)
        case .slowDatabase:
            parts.profiles = WaitingProfiles(source: parts.profiles, time: time, from: .now + after)
        case .fullDisk: parts.accounts = AuditedAccounts(store: parts.accounts, bytesPerRecord: bytes)
        }
        return parts
    }
}
