package import RegistrationCore

/// A fault that can be switched on in a drill, as it was in a real incident. Never part of the shipped service.
package enum Fault: String, CaseIterable, Sendable {
    case verificationContext = "verification-context"
    case profileCache = "profile-cache"

    /// One line for a list of faults.
    package var summary: String {
        switch self {
        case .verificationContext:
            "every sign-up leaves a verification context in a store that is never cleaned (--fault-bytes each)"
        case .profileCache:
            "profiles are kept by the whole request, query included, and each request looks through all of them "
                + "(--fault-bytes each)"
        }
    }

    /// What this fault uses when the command line does not say.
    package var standardBytes: Int {
        switch self {
        case .verificationContext: 64 * 1024
        case .profileCache: 6 * 1024
        }
    }

    /// The service with the fault in it. `bytes` is what each sign-up, or each profile, leaves behind.
    package func installed(in parts: RegistrationParts, bytes: Int) -> RegistrationParts {
        var parts = parts
        switch self {
        case .verificationContext:
            parts.accounts = ForgetfulVerification(store: parts.accounts, bytesPerContext: bytes)
        case .profileCache:
            parts.profiles = HoardingProfiles(source: parts.profiles, bytesPerPage: bytes)
            parts.metrics.append { ProfileCache.shared.metrics() }
        }
        return parts
    }
}
