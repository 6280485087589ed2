//! Whether a service runs.

use std::io;
use std::ptr::null;

use windows_sys::Win32::Foundation::ERROR_SERVICE_DOES_NOT_EXIST;
use windows_sys::Win32::System::Services::{
    CloseServiceHandle, OpenSCManagerW, OpenServiceW, QueryServiceStatus, SC_HANDLE, SC_MANAGER_CONNECT,
    SERVICE_QUERY_STATUS, SERVICE_RUNNING, SERVICE_STATUS,
};

use super::{succeeded, wide};

/// A handle of the service manager's.
struct Service(SC_HANDLE);

impl Service {
    fn new(handle: SC_HANDLE) -> io::Result<Service> {
        if handle.is_null() { Err(io::Error::last_os_error()) } else { Ok(Service(handle)) }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // SAFETY: the handle is open and closed once.
        unsafe { CloseServiceHandle(self.0) };
    }
}

/// Whether the service runs; one that is not there does not.
pub(super) fn runs(name: &str) -> io::Result<bool> {
    let name = wide(name)?;
    // SAFETY: null names are those of the local machine and its only database.
    let manager = Service::new(unsafe { OpenSCManagerW(null(), null(), SC_MANAGER_CONNECT) })?;
    // SAFETY: the manager is open; the name ends with a NUL.
    let service = Service::new(unsafe { OpenServiceW(manager.0, name.as_ptr(), SERVICE_QUERY_STATUS) });
    let service = match service {
        Ok(service) => service,
        Err(error) if error.raw_os_error() == i32::try_from(ERROR_SERVICE_DOES_NOT_EXIST).ok() => return Ok(false),
        Err(error) => return Err(error),
    };
    let mut status = SERVICE_STATUS::default();
    // SAFETY: the service is open; `status` is writable.
    succeeded(unsafe { QueryServiceStatus(service.0, &mut status) })?;
    Ok(status.dwCurrentState == SERVICE_RUNNING)
}
